package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const currentName = "audit.log"

// files are the current file and those rotated away. One goroutine writes; tails
// look at the extent and open by sequence number.
type files struct {
	fsys  FS
	limit int64 // bytes of one file
	keep  int   // how many, the current one included

	// Of the writer alone.
	current  File // nil: to be opened, and repaired, before the next write
	size     int64
	unsynced uint64 // lines since the last fsync
	torn     int64  // bytes that the last repair removed

	// names is held while a file changes its name, and while one is looked up by it.
	names sync.Mutex
	extent
}

// syncError is a failed fsync: what the system took may never reach the disk.
type syncError struct{ err error }

func (e *syncError) Error() string { return e.err.Error() }
func (e *syncError) Unwrap() error { return e.err }

func rotatedName(seq uint64) string { return fmt.Sprintf("audit-%08d.log", seq) }

// rotatedSeq undoes rotatedName, for numbers of any length.
func rotatedSeq(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, "audit-")
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, ".log")
	if !ok {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 63)
	return seq, err == nil && rotatedName(seq) == name
}

// openFiles finds what earlier boots left and opens the current file.
func openFiles(fsys FS, limit int64, keep int) (*files, error) {
	f := &files{fsys: fsys, limit: limit, keep: keep}
	names, err := fsys.List()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if seq, ok := rotatedSeq(name); ok {
			f.segments = append(f.segments, segment{seq: seq})
		}
	}
	slices.SortFunc(f.segments, segment.compare)
	next := uint64(1)
	if n := len(f.segments); n > 0 {
		next = f.segments[n-1].seq + 1
	}
	f.segments = append(f.segments, segment{seq: next})
	return f, f.ready()
}

// ready opens the current file if it is not, and repairs it: a line without an
// end is removed.
func (f *files) ready() error {
	if f.current != nil {
		return nil
	}
	f.names.Lock()
	defer f.names.Unlock()
	return f.reopen()
}

// reopen is for who holds names.
func (f *files) reopen() error {
	current, err := f.fsys.Append(currentName)
	if err != nil {
		return fmt.Errorf("open %s: %w", currentName, err)
	}
	good, size, err := f.lastEnd()
	if err == nil && good < size {
		err = current.Truncate(good)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("repair %s: %w", currentName, err), current.Close())
	}
	f.current, f.size, f.torn = current, good, size-good
	f.reopened(good)
	return nil
}

func (f *files) lastEnd() (good, size int64, err error) {
	r, err := f.fsys.Read(currentName)
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	if size, err = r.Size(); err != nil {
		return 0, 0, err
	}
	good, err = lastLineEnd(r, size)
	return good, size, err
}

// fits says whether n more bytes may go into the current file.
func (f *files) fits(n int) bool { return f.size+int64(n) <= f.limit }

// append writes whole lines and says how many surely are in the file. After an
// error the file is closed, and ready repairs it.
func (f *files) append(lines []byte, count uint64) (uint64, error) {
	n, err := f.current.Write(lines)
	if err == nil && n < len(lines) {
		err = fmt.Errorf("wrote %d of %d bytes", n, len(lines))
	}
	if err != nil {
		n = max(0, min(n, len(lines)))
		count = countLines(lines[:n])
	}
	f.size += int64(n)
	f.unsynced += count
	if err != nil {
		// What follows the last whole line is no part of the log.
		f.grow(int64(bytes.LastIndexByte(lines[:n], '\n')+1), count)
		return count, errors.Join(fmt.Errorf("write %s: %w", currentName, err), f.abandon())
	}
	f.grow(int64(n), count)
	return count, nil
}

// sync makes everything written durable, or closes the file.
func (f *files) sync() error {
	if f.current == nil || f.unsynced == 0 {
		return nil
	}
	if err := f.current.Sync(); err != nil {
		return errors.Join(&syncError{fmt.Errorf("sync %s: %w", currentName, err)}, f.abandon())
	}
	f.unsynced = 0
	return nil
}

// abandon closes the current file; ready opens it again.
func (f *files) abandon() error {
	if f.current == nil {
		return nil
	}
	err := f.current.Close()
	f.current = nil
	return err
}

// rotate gives the current file its number, begins a new one, and removes the
// oldest. What could not be removed is tried again at the next rotation, and
// returned apart: the log goes on.
func (f *files) rotate() (stuck, err error) {
	if err := f.sync(); err != nil {
		return nil, err
	}
	if err := f.abandon(); err != nil {
		return nil, fmt.Errorf("close %s: %w", currentName, err)
	}
	f.names.Lock()
	defer f.names.Unlock()
	seq := f.currentSeq()
	if err := f.fsys.Rename(currentName, rotatedName(seq)); err != nil {
		return nil, fmt.Errorf("rotate %s: %w", currentName, err)
	}
	f.began(seq + 1)
	stuck = f.prune()
	return stuck, f.reopen()
}

func (f *files) prune() error {
	var errs []error
	for _, seq := range f.surplus(f.keep) {
		err := f.fsys.Remove(rotatedName(seq))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
			continue
		}
		f.removed(seq)
	}
	return errors.Join(errs...)
}

// read opens the file of that number under whatever name it has now. The caller
// holds names.
func (f *files) read(seq uint64) (Reader, error) {
	if seq == f.currentSeq() {
		return f.fsys.Read(currentName)
	}
	return f.fsys.Read(rotatedName(seq))
}

func (f *files) close() error {
	return errors.Join(f.sync(), f.abandon())
}
