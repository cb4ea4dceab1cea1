package datadir

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// FileSum is a file of a directory, by its path within it, and what it holds.
type FileSum struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Sums are the files that a start would rely on, all but lock and ballast: two times
// the same sums are the same directory.
func (d *Dir) Sums() ([]FileSum, error) {
	var sums []FileSum
	for _, name := range []string{identityName, markerName, trustName} {
		there, err := exists(d.options.FS, filepath.Join(d.path, name))
		if err == nil && there {
			sums, err = d.sum(sums, name)
		}
		if err != nil {
			return nil, err
		}
	}
	identity := d.Identity()
	return d.sumFolder(sums, identity.stores())
}

func (d *Dir) sumFolder(sums []FileSum, folder string) ([]FileSum, error) {
	path := filepath.Join(d.path, folder)
	entries, err := d.options.FS.List(path)
	if err != nil {
		return nil, ioError(path, err)
	}
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if e.IsDir() {
			sums, err = d.sumFolder(sums, name)
		} else {
			sums, err = d.sum(sums, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}

func (d *Dir) sum(sums []FileSum, name string) ([]FileSum, error) {
	path := filepath.Join(d.path, name)
	f, err := d.options.FS.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, ioError(path, err)
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, ioError(path, err)
	}
	return append(sums, FileSum{Path: filepath.ToSlash(name), Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}), nil
}
