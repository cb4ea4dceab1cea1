package datadir

import (
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// FS is where the directory's own files live: identity, marker, ballast, log
// segments, snapshots. (bbolt opens its files itself.) Methods may be called
// concurrently. Tests pass one that fails.
type FS interface {
	Open(name string, flag int, perm fs.FileMode) (File, error)
	Rename(from, to string) error
	Remove(name string) error
	List(dir string) ([]fs.DirEntry, error)
	// SyncDir makes creations, renames and removals in dir durable.
	SyncDir(dir string) error
}

// File is an open file.
type File interface { //nolint:interfacebloat // what a file is: io's parts and four more
	io.ReadWriteCloser
	io.ReaderAt
	io.WriterAt
	// Sync returns once the contents and what is needed to find them are durable.
	Sync() error
	Size() (int64, error)
	// Preallocate gives the file at least size bytes, the new ones zero.
	Preallocate(size int64) error
	// NextData is the offset of the first byte at or after offset that may be
	// other than zero, or the file's size.
	NextData(offset int64) (int64, error)
}

// Disk tells how much room is left where a path lives.
type Disk interface {
	Free(path string) (free, total uint64, err error)
}

// OS is the real file system and disk.
type OS struct{}

// Open opens or creates a file.
func (OS) Open(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename replaces to by from.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove removes a file.
func (OS) Remove(name string) error { return os.Remove(name) }

// List reads a directory.
func (OS) List(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }

// SyncDir syncs a directory.
func (OS) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// Free asks statfs; free is what an unprivileged process may still take.
func (OS) Free(path string) (free, total uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, 0, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// extend is preallocation for file systems that cannot: the room is promised
// by nobody, but the file has its size.
func extend(f osFile, size int64) error {
	have, err := f.Size()
	if err != nil || have >= size {
		return err
	}
	return f.Truncate(size)
}
