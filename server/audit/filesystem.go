package audit

import (
	"errors"
	"io"
	"io/fs"
	"os"

	candor "github.com/candor-plane/candor"
)

// FS is the directory of the log, by base names. Errors are the file system's
// own; a missing file is fs.ErrNotExist. The writer and any number of tails call
// it at once.
type FS interface {
	// Append opens a file for writing at its end, making it if need be.
	Append(name string) (File, error)
	Read(name string) (Reader, error)
	List() ([]string, error)
	// Rename and Remove are durable when they return.
	Rename(from, to string) error
	Remove(name string) error
}

// File is written by one goroutine.
type File interface {
	io.WriteCloser
	Truncate(size int64) error
	Sync() error
}

// Reader reads one file. It goes on reading the same file when that is renamed
// or removed.
type Reader interface {
	io.ReaderAt
	io.Closer
	Size() (int64, error)
}

// Directory is an FS on disk. It makes the directory with mode 0700 and its files
// with 0600; no name leads out of it, by symbolic link neither. Directories and
// files that exist keep theirs, except that the current file is set to 0600 when
// it is opened.
type Directory struct{ root *os.Root }

// OpenDirectory opens dir. The owner calls Close once no Log uses it.
func OpenDirectory(dir string) (*Directory, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, diskError("make the directory", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, diskError("open the directory", err)
	}
	return &Directory{root: root}, nil
}

// Append opens or makes a file.
func (d *Directory) Append(name string) (File, error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Chmod(0o600), d.sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Read opens a file.
func (d *Directory) Read(name string) (Reader, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	return diskReader{f}, nil
}

// List names the files.
func (d *Directory) List() ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Rename renames a file.
func (d *Directory) Rename(from, to string) error {
	if err := d.root.Rename(from, to); err != nil {
		return err
	}
	return d.sync()
}

// Remove removes a file.
func (d *Directory) Remove(name string) error {
	if err := d.root.Remove(name); err != nil {
		return err
	}
	return d.sync()
}

// Close ends the use of the directory; open files stay open.
func (d *Directory) Close() error { return d.root.Close() }

func (d *Directory) sync() error {
	self, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(self.Sync(), self.Close())
}

type diskReader struct{ *os.File }

func (r diskReader) Size() (int64, error) {
	info, err := r.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// diskError names what was tried; the path is in the system's own words.
func diskError(op string, err error) error {
	return candor.Wrap("audit: "+op, candor.Errorf(candor.ReasonDiskPressure, "%w", err))
}
