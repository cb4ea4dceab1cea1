package gossip

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	candor "github.com/candor-plane/candor"
)

// ringFileMode is the only mode that a key ring file may have: no bit for others.
const ringFileMode = 0o600

// readRingFile reads a key ring. The error satisfies os.ErrNotExist only if
// there is no such file.
func readRingFile(path string) (ring, error) {
	f, err := os.Open(path)
	if err != nil {
		return ring{}, candor.Errorf(candor.ReasonUnavailable, "gossip key ring cannot be read: %w", err)
	}
	content, err := readOwn(f)
	err = errors.Join(err, f.Close())
	if err != nil {
		return ring{}, candor.Wrap("gossip key ring "+path, err)
	}
	r, err := parseRing(content)
	if err != nil {
		damaged := candor.Errorf(candor.ReasonDataCorrupt,
			"gossip key ring %s is damaged: %s; put back a good copy, or move it away so that the seed key begins a new ring", path, said(err))
		damaged.Subject = path
		return ring{}, damaged
	}
	return r, nil
}

// readOwn reads a file that nobody but its owner may open.
func readOwn(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, candor.Errorf(candor.ReasonUnavailable, "cannot be examined: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, refuse("is no regular file")
	}
	if extra := info.Mode().Perm() &^ ringFileMode; extra != 0 {
		return nil, refuse("has mode %04o, which lets others at the keys; want %04o (chmod 600)", info.Mode().Perm(), ringFileMode)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, candor.Errorf(candor.ReasonUnavailable, "cannot be read: %w", err)
	}
	return content, nil
}

// replaceRingFile makes content the file's, durably: after a crash at any moment
// there is the old file or the new one. After an error it may be either.
func replaceRingFile(path string, content []byte) error {
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ringFileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := os.Rename(next, path); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
