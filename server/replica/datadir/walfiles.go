package datadir

import (
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/hashicorp/raft-wal/types"
)

// walFiles gives raft-wal its segment files through FS.
type walFiles struct {
	fs FS
	// open is set once the log is open: from then on segments are read one
	// frame at a time (see segmentFile.ReadAt).
	open atomic.Bool
}

var _ types.VFS = (*walFiles)(nil)

// ListDir names no segment: walState.removeStrays was here before.
func (v *walFiles) ListDir(string) ([]string, error) { return nil, nil }

// Create opens the file that walState has made.
func (v *walFiles) Create(dir, name string, _ uint64) (types.WritableFile, error) {
	return v.OpenWriter(dir, name)
}

// Delete removes a segment that the list no longer names.
func (v *walFiles) Delete(dir, name string) error {
	return removeDurably(v.fs, filepath.Join(dir, name))
}

// OpenReader opens a sealed segment.
func (v *walFiles) OpenReader(dir, name string) (types.ReadableFile, error) {
	f, err := v.fs.Open(filepath.Join(dir, name), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return &segmentFile{File: f, open: &v.open}, nil
}

// OpenWriter opens the tail.
func (v *walFiles) OpenWriter(dir, name string) (types.WritableFile, error) {
	f, err := v.fs.Open(filepath.Join(dir, name), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &segmentFile{File: f, open: &v.open}, nil
}

const (
	// frameRead is the buffer with which raft-wal reads a frame whose size it
	// does not know yet; shortRead is what we give it at first.
	frameRead = 64 << 10
	shortRead = 4 << 10
)

type segmentFile struct {
	File
	open *atomic.Bool
}

// ReadAt cuts reads of a whole frame buffer short. raft-wal asks for 64 KiB at
// each entry, most of which it throws away; told that the file ends earlier it
// takes what it got and asks again for exactly the rest of a longer frame.
func (f *segmentFile) ReadAt(p []byte, offset int64) (int, error) {
	if len(p) != frameRead || !f.open.Load() {
		return f.File.ReadAt(p, offset)
	}
	n, err := f.File.ReadAt(p[:shortRead], offset)
	if err == nil {
		err = io.EOF
	}
	return n, err
}
