package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/candor-plane/candor"
)

// maxFile bounds what is read of one file: a certificate has a kilobyte.
const maxFile = 1 << 20

// Files are the PEM files of one party. Cert and Key are both set, or both empty
// for a party without a certificate of its own, such as one with a token.
type Files struct {
	CA   string // the cluster's authorities; several while they are replaced
	Cert string // our certificate, and after it any that lead to an authority
	Key  string // its private key
}

// Content is what such files hold. Cert and Key are both empty for a party
// without a certificate.
type Content struct{ CA, Cert, Key []byte }

func (f Files) check() error {
	if f.CA == "" {
		return candor.Errorf(candor.ReasonInvalid, "no file of the cluster's authorities is named; name one (--tls-ca)")
	}
	if (f.Cert == "") != (f.Key == "") {
		return candor.Errorf(candor.ReasonInvalid, "certificate file %q and key file %q: want both or neither (--tls-cert, --tls-key)", f.Cert, f.Key)
	}
	return nil
}

// read is what the files hold now, and the key file's mode. The files are read one
// after another: what belongs together may be caught half-written.
func (f Files) read() (Content, fs.FileMode, error) {
	var c Content
	var mode fs.FileMode
	err := f.check()
	if err != nil {
		return c, 0, err
	}
	if c.CA, _, err = readFile(f.CA); err != nil || f.Cert == "" {
		return c, 0, err
	}
	if c.Cert, _, err = readFile(f.Cert); err != nil {
		return c, 0, err
	}
	c.Key, mode, err = readFile(f.Key)
	return c, mode, err
}

// readFile is the whole of a regular file; anything else could block a poll.
func readFile(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, candor.Errorf(candor.ReasonInvalid, "%s is no regular file but %s; it is read again and again, so name a file", path, info.Mode().Type())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	if len(data) > maxFile {
		return nil, 0, candor.Errorf(candor.ReasonInvalid, "%s has more than %d bytes; want PEM certificates or a key", path, maxFile)
	}
	return data, info.Mode().Perm(), nil
}

// unreadable keeps the system's message, which names the file.
func unreadable(path string, err error) error {
	reason := candor.ReasonInvalid
	if errors.Is(err, fs.ErrNotExist) {
		reason = candor.ReasonNotFound
	}
	return &candor.Error{Reason: reason, Subject: path, Message: err.Error(), Err: err}
}

// others are the permissions of a key file that let more than its owner and
// readers of its group at it.
const others fs.FileMode = 0o037

func warnMode(path string, mode fs.FileMode) []string {
	if mode&others == 0 {
		return nil
	}
	return []string{fmt.Sprintf("key file %s has mode %04o; want 0640 or less, or others may act under this identity; run chmod 600 %s", path, mode, path)}
}
