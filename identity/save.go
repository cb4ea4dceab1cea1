package identity

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/candor-plane/candor"
)

// The modes of what is written. A folder that is made for it is its owner's alone.
const (
	modeCertificate fs.FileMode = 0o644
	modeKey         fs.FileMode = 0o600
	modeFolder      fs.FileMode = 0o700
)

// WriteFiles stores what content has into the files of the same name and leaves
// the others: keys for their owner alone, certificates for everybody. Each file is
// replaced whole, or not at all, and is on disk when WriteFiles returns. Everything
// is written beside its place first and then moved into place at once, authorities
// first, so a reader or a crash in between sees at worst a certificate and a key
// that do not match, which [Source] takes for "not yet". It overwrites.
func WriteFiles(files Files, content Content) error {
	var staged []stage
	defer func() {
		for _, s := range staged {
			_ = os.Remove(s.part) // gone already once it is in place
		}
	}()
	for _, f := range []struct {
		path string
		data []byte
		mode fs.FileMode
	}{
		{files.CA, content.CA, modeCertificate},
		{files.Key, content.Key, modeKey},
		{files.Cert, content.Cert, modeCertificate},
	} {
		if len(f.data) == 0 {
			continue
		}
		if f.path == "" {
			return candor.Errorf(candor.ReasonInvalid, "write TLS files: there is something to write and no file is named for it")
		}
		s, err := prepare(f.path, f.data, f.mode)
		if err != nil {
			return candor.Wrap("write TLS files", err)
		}
		staged = append(staged, s)
	}
	for _, s := range staged {
		if err := os.Rename(s.part, s.path); err != nil {
			return candor.Wrap("write TLS files", unreadable(s.path, err))
		}
	}
	for _, s := range staged {
		if err := syncFolder(filepath.Dir(s.path)); err != nil {
			return candor.Wrap("write TLS files", err)
		}
	}
	return nil
}

// stage is a file that is on disk and not yet in its place.
type stage struct{ part, path string }

func prepare(path string, data []byte, mode fs.FileMode) (s stage, err error) {
	folder := filepath.Dir(path)
	if err = os.MkdirAll(folder, modeFolder); err != nil {
		return stage{}, unreadable(folder, err)
	}
	part, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*")
	if err != nil {
		return stage{}, unreadable(path, err)
	}
	defer func() {
		if err != nil {
			_ = part.Close()
			_ = os.Remove(part.Name())
		}
	}()
	// It is born with mode 0600, so a key is never anybody else's to read.
	if _, err = part.Write(data); err != nil {
		return stage{}, unreadable(path, err)
	}
	if err = part.Chmod(mode); err != nil {
		return stage{}, unreadable(path, err)
	}
	if err = part.Sync(); err != nil {
		return stage{}, unreadable(path, err)
	}
	if err = part.Close(); err != nil {
		return stage{}, unreadable(path, err)
	}
	return stage{part: part.Name(), path: path}, nil
}

func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return unreadable(folder, err)
	}
	err = f.Sync()
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return unreadable(folder, err)
	}
	return nil
}
