package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// Variables that say who is asking, unless --token-file does.
const (
	// tokenVariable holds a token, tokenFileVariable the path of a file with one.
	tokenVariable     = "CANDOR_TOKEN"
	tokenFileVariable = "CANDOR_TOKEN_FILE"
)

// token is the one that requests carry, "" for none: that of --token-file, of
// the environment, or of the context that is used.
func (f *Factory) token() (string, error) {
	if f.nameless {
		return "", nil
	}
	if f.Flags.TokenFile != "" {
		return f.readToken(f.Flags.TokenFile)
	}
	if text := strings.TrimSpace(f.Getenv(tokenVariable)); text != "" {
		if _, err := candor.ParseBearer(text); err != nil {
			return "", candor.Wrap(tokenVariable, err)
		}
		return text, nil
	}
	if path := f.Getenv(tokenFileVariable); path != "" {
		return f.readToken(path)
	}
	if len(f.Flags.Servers) > 0 && f.Flags.Context == "" {
		return "", nil
	}
	context, err := f.Flags.context(f.Getenv)
	if err != nil || context.TokenFile == "" {
		return "", err
	}
	path := context.TokenFile
	if !filepath.IsAbs(path) {
		of, err := f.Flags.contextPath(f.Getenv)
		if err != nil {
			return "", err
		}
		path = filepath.Join(filepath.Dir(of), path)
	}
	return f.readToken(path)
}

// readToken reads a file that holds a token and nothing else. That others may
// read it is said with -q too.
func (f *Factory) readToken(path string) (string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", try(&candor.Error{Reason: candor.ReasonNotFound, Subject: path, Message: "there is no token file " + path, Err: err},
			"candor context set NAME --token-file FILE      where another is to be remembered", tryNew)
	}
	if err != nil {
		return "", candor.Wrap("token file "+path, err)
	}
	text := strings.TrimSpace(string(content))
	if _, err := candor.ParseBearer(text); err != nil {
		return "", candor.Wrap("token file "+path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", candor.Wrap("token file "+path, err)
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		fmt.Fprintf(f.Err, "token file %s can be read by others (mode %04o): chmod 600 %[1]s\n", output.Clean(path), info.Mode().Perm())
	}
	return text, nil
}

// newTokenFile is where a new token goes; nil is stdout.
type newTokenFile struct{ file *os.File }

// createTokenFile makes the file before the token is known anywhere, so that a
// token which counts is never lost to a full disk. One that is there stays.
func createTokenFile(path string) (*newTokenFile, error) {
	if path == "" {
		return &newTokenFile{}, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, &candor.Error{Reason: candor.ReasonAlreadyExists, Subject: path, Message: path + " is there already; a token is written to a new file", Err: err}
	}
	if err != nil {
		return nil, candor.Wrap("token file "+path, err)
	}
	return &newTokenFile{file: file}, nil
}

// write keeps the token in the file.
func (n *newTokenFile) write(token candor.Bearer) error {
	if n.file == nil {
		return nil
	}
	_, err := n.file.WriteString(token.String() + "\n")
	if err == nil {
		err = n.file.Sync()
	}
	if err = errors.Join(err, n.file.Close()); err != nil {
		return candor.Wrap("token file "+n.file.Name(), errors.Join(err, os.Remove(n.file.Name())))
	}
	return nil
}

// forget takes away the file of a token that counts nowhere.
func (n *newTokenFile) forget() error {
	if n.file == nil {
		return nil
	}
	return candor.Wrap("token file", os.Remove(n.file.Name()))
}

// made is a token and where it is kept.
type made struct {
	*Factory
	token candor.Bearer
	path  string
}

// keep makes the token's file, then has register tell the cluster of it, and
// gives the token out. Where it may have come to count it is given out as well.
func (m made) keep(register func() error) error {
	file, err := createTokenFile(m.path)
	if err != nil {
		return err
	}
	if err := file.write(m.token); err != nil {
		return err
	}
	err = register()
	if err != nil && candor.ReasonOf(err) != candor.ReasonOutcomeUnknown {
		if gone := file.forget(); gone != nil {
			m.Narrate("%s holds a token that counts nowhere: %s", output.Clean(m.path), said(gone))
		}
		return err
	}
	if m.path == "" {
		if _, told := fmt.Fprintln(m.Out, m.token); told != nil && err == nil {
			return internal("print the token", told)
		}
	}
	if err != nil {
		m.Narrate("whether the token counts is not known")
	}
	return err
}

// howToUse says how commands take the token.
func (m made) howToUse() {
	path := m.path
	if path == "" {
		path = "FILE"
		m.Narrate("The token is shown this once. Give it to commands with one of")
		m.Narrate("  export %s=%s", tokenVariable, "TOKEN")
	} else {
		m.Narrate("The token is in %s. Give it to commands with one of", output.Clean(path))
		m.Narrate("  export %s=%s", tokenFileVariable, shownPath(path))
	}
	m.Narrate("  candor --token-file %s ...", shownPath(path))
	m.Narrate("  candor context set NAME --token-file %s", shownPath(path))
}

func shownPath(path string) string { return output.Clean(shown([]string{path})[0]) }
