package datadir

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Sync leaves out timestamps: they are nobody's promise.
func (f osFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return named("fdatasync", f.Name(), err)
		}
	}
}

func (f osFile) Preallocate(size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.EOPNOTSUPP) {
			return extend(f, size)
		}
		return named("fallocate", f.Name(), err)
	}
}

func (f osFile) NextData(offset int64) (int64, error) {
	at, err := f.Seek(offset, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return f.Size()
	}
	if errors.Is(err, unix.EINVAL) {
		return offset, nil
	}
	if err != nil {
		return 0, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return at, err
}

func named(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: path, Err: err}
}
