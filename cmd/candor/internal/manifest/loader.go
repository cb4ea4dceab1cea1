package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// MaxSourceBytes is the most that one file or stdin may hold.
const MaxSourceBytes = 64 << 20

// Loader reads sources. The zero Loader reads no stdin.
type Loader struct {
	// Stdin is what the source "-" reads; it can be named once.
	Stdin io.Reader
	// Recursive follows folders inside folders.
	Recursive bool
}

// Load reads the sources in the order given, the files of a folder in the
// order of their names. Each is a file, a folder or "-". It returns an Error
// of reason INVALID for what is wrong in a source, NOT_FOUND for one that is
// not there.
func (l Loader) Load(sources ...string) ([]Document, error) {
	files, err := l.expand(sources)
	if err != nil {
		return nil, err
	}
	var documents []Document
	var problems []problem
	for _, file := range files {
		data, name, err := l.read(file)
		if err != nil {
			return nil, err
		}
		found, wrong := parse(name, data)
		documents = append(documents, found...)
		problems = append(problems, wrong...)
	}
	if err := refusal(strings.Join(sources, ", "), problems); err != nil {
		return nil, err
	}
	if len(documents) == 0 {
		return nil, invalid(strings.Join(sources, ", "), "no object in %s: it holds nothing but blank or comment lines", strings.Join(sources, ", "))
	}
	return documents, nil
}

// Parse reads one source that is already in memory.
func Parse(source string, data []byte) ([]Document, error) {
	documents, problems := parse(source, data)
	if err := refusal(source, problems); err != nil {
		return nil, err
	}
	return documents, nil
}

func (l Loader) expand(sources []string) ([]string, error) {
	var files []string
	for _, source := range sources {
		if source == "-" {
			if slices.Contains(files, "-") {
				return nil, invalid("stdin", "stdin is named twice; it can be read once")
			}
			files = append(files, source)
			continue
		}
		info, err := os.Stat(source)
		if err != nil {
			return nil, unreadable(source, err)
		}
		if !info.IsDir() {
			files = append(files, source)
			continue
		}
		found, err := l.folder(source)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

func (l Loader) folder(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := strings.HasPrefix(entry.Name(), ".")
			if path != root && (hidden || !l.Recursive) {
				return fs.SkipDir
			}
			return nil
		}
		if manifestName(path) {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, unreadable(root, err)
	}
	if len(files) == 0 {
		hint := "; -R looks into folders inside it"
		if l.Recursive {
			hint = ""
		}
		return nil, invalid(root, "no .yaml, .yml or .json file in folder %s%s", root, hint)
	}
	return files, nil
}

func manifestName(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func (l Loader) read(file string) (data []byte, name string, err error) {
	if file == "-" {
		if l.Stdin == nil {
			return nil, "", invalid("stdin", "there is no stdin to read")
		}
		data, err = readAll("stdin", l.Stdin)
		return data, "stdin", err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, "", unreadable(file, err)
	}
	data, err = readAll(file, f)
	return data, file, errors.Join(err, f.Close())
}

func readAll(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSourceBytes+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if len(data) > MaxSourceBytes {
		return nil, invalid(name, "%s is over %d MiB; split it", name, MaxSourceBytes>>20)
	}
	return data, nil
}

func unreadable(name string, err error) error {
	reason := candor.ReasonInternal
	if errors.Is(err, fs.ErrNotExist) {
		reason = candor.ReasonNotFound
	}
	cause := err
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		cause = path.Err
	}
	return &candor.Error{Reason: reason, Subject: name, Message: fmt.Sprintf("%s: %v", name, cause), Err: err}
}

func invalid(subject, format string, args ...any) error {
	e := candor.Errorf(candor.ReasonInvalid, format, args...)
	e.Subject = subject
	return e
}
