package datadir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftwal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"github.com/candor-plane/candor"
)

// wal is raft-wal, opened on files that were checked and repaired first.
type wal struct {
	// log is nil for a log that is empty and to be read only.
	log      *raftwal.WAL
	state    *walState
	files    *walFiles
	readOnly bool
}

var (
	_ raft.LogStore          = (*wal)(nil)
	_ raft.MonotonicLogStore = (*wal)(nil)
)

// createWAL makes the list of a new directory's log, so that a missing one is
// damage.
func createWAL(fsys FS, dir string) error {
	state := &walState{dir: dir, fs: fsys}
	there, err := exists(fsys, state.path())
	if err != nil || there {
		return err
	}
	return state.CommitState(types.PersistentState{})
}

// openWAL checks every segment against its checksums, repairs what a crash may
// leave, and opens the log. repaired tells people what was done.
func openWAL(dir string, o *Options, log hclog.Logger) (w *wal, repaired []string, err error) {
	w = &wal{state: &walState{dir: dir, fs: o.FS}, files: &walFiles{fs: o.FS}, readOnly: o.ReadOnly}
	if err := w.state.read(); err != nil {
		return nil, nil, err
	}
	if o.ReadOnly && len(w.state.state.Segments) == 0 {
		return w, nil, nil
	}
	if !o.ReadOnly {
		if err := w.state.removeStrays(); err != nil {
			return nil, nil, err
		}
	}
	for i := range w.state.state.Segments {
		note, err := w.check(i)
		if err != nil {
			return nil, nil, err
		}
		if note != "" {
			repaired = append(repaired, note)
		}
	}
	w.log, err = raftwal.Open(dir,
		raftwal.WithSegmentFiler(segment.NewFiler(dir, w.files)),
		raftwal.WithMetaStore(w.state),
		raftwal.WithSegmentSize(o.SegmentBytes),
		raftwal.WithLogger(log))
	if err != nil {
		return nil, nil, ioError(dir, err)
	}
	w.files.open.Store(true)
	return w, repaired, nil
}

// check reads the i-th segment. Only the tail may need repair.
func (w *wal) check(i int) (repaired string, err error) {
	info := w.state.state.Segments[i]
	path := filepath.Join(w.state.dir, segment.FileName(info))
	f, err := w.state.fs.Open(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", corrupt(path, "missing; %s names it", w.state.path())
	}
	if err != nil {
		return "", ioError(path, err)
	}
	defer f.Close()
	seg, err := walkSegment(f, path, info)
	if err != nil {
		return "", err
	}
	if err := w.follows(i, path); err != nil {
		return "", err
	}
	if info.SealTime.IsZero() {
		return w.checkTail(f, seg)
	}
	return "", checkSealed(f, seg)
}

func (w *wal) follows(i int, path string) error {
	if i == 0 {
		return nil
	}
	before := w.state.state.Segments[i-1]
	if before.SealTime.IsZero() || before.MaxIndex+1 != w.state.state.Segments[i].BaseIndex {
		return corrupt(path, "begins at %d; the segment before ends at %d", w.state.state.Segments[i].BaseIndex, before.MaxIndex)
	}
	return nil
}

func checkSealed(f File, seg *walked) error {
	if seg.indexStart != seg.info.IndexStart || seg.lastIndex() < seg.info.MaxIndex {
		return corrupt(seg.path, "whole up to byte %d and entry %d only; it was closed with %d", seg.end, seg.lastIndex(), seg.info.MaxIndex)
	}
	rest, err := readRemainder(f, seg.path, seg.end)
	if err != nil {
		return err
	}
	if rest.last >= 0 {
		return corrupt(seg.path, "bytes after %d, where it was closed", seg.end)
	}
	return nil
}

// checkTail tells a crash's trace from damage and removes it.
func (w *wal) checkTail(f File, seg *walked) (repaired string, err error) {
	size, err := f.Size()
	if err != nil {
		return "", ioError(seg.path, err)
	}
	if size < int64(seg.info.SizeLimit) {
		return "", corrupt(seg.path, "truncated to %d bytes; it was made with %d", size, seg.info.SizeLimit)
	}
	rest, err := readRemainder(f, seg.path, seg.end)
	if err != nil {
		return "", err
	}
	if rest.last >= 0 {
		torn, err := rest.torn()
		if err != nil {
			return "", err
		}
		if !torn {
			return "", corrupt(seg.path, "the log is damaged after entry %d (byte %d): that is no write cut short, whose bytes would be missing at its end or be zero", seg.lastIndex(), seg.end)
		}
		if w.readOnly {
			return seg.path + ": ends in a write cut short, which a start would drop", nil
		}
		if err := rest.erase(); err != nil {
			return "", err
		}
		repaired = seg.path + ": dropped a write cut short, which nobody was promised"
	}
	if seg.indexStart == 0 || w.readOnly {
		return repaired, nil
	}
	return seg.path + ": completed a rotation cut short", w.completeRotation(seg)
}

// completeRotation closes in the list the tail that is closed in its file.
// raft-wal would open such a tail and then refuse every write to it.
func (w *wal) completeRotation(seg *walked) error {
	state, err := w.state.Load(w.state.dir)
	if err != nil {
		return err
	}
	tail := &state.Segments[len(state.Segments)-1]
	tail.SealTime, tail.MaxIndex, tail.IndexStart = time.Now(), seg.lastIndex(), seg.indexStart
	state.Segments = append(state.Segments, types.SegmentInfo{
		ID: state.NextSegmentID, BaseIndex: tail.MaxIndex + 1, MinIndex: tail.MaxIndex + 1,
		SizeLimit: tail.SizeLimit, Codec: tail.Codec, CreateTime: time.Now(),
	})
	state.NextSegmentID++
	return w.state.CommitState(state)
}

// IsMonotonic tells raft that indexes have no gaps.
func (w *wal) IsMonotonic() bool { return true }

// FirstIndex is the first entry's, or 0.
func (w *wal) FirstIndex() (uint64, error) {
	if w.log == nil {
		return 0, nil
	}
	index, err := w.log.FirstIndex()
	return index, ioError(w.state.dir, err)
}

// LastIndex is the last entry's, or 0.
func (w *wal) LastIndex() (uint64, error) {
	if w.log == nil {
		return 0, nil
	}
	index, err := w.log.LastIndex()
	return index, ioError(w.state.dir, err)
}

// GetLog reads an entry and checks it: what a disk does to it after the
// start is DATA_CORRUPT too. raft.ErrLogNotFound is passed as it is.
func (w *wal) GetLog(index uint64, log *raft.Log) error {
	if w.log == nil {
		return raft.ErrLogNotFound
	}
	err := w.log.GetLog(index, log)
	if err == raft.ErrLogNotFound { //nolint:errorlint // raft compares it so.
		return err
	}
	if err != nil {
		return corrupt(w.state.file(index), "entry %d: %v", index, err)
	}
	return checkLog(w.state.file, index, log)
}

// StoreLog stores one entry durably.
func (w *wal) StoreLog(log *raft.Log) error { return w.StoreLogs([]*raft.Log{log}) }

// StoreLogs stores entries durably.
func (w *wal) StoreLogs(logs []*raft.Log) error {
	if w.readOnly {
		return refusal(candor.ReasonInternal, w.state.dir, "opened to be read only")
	}
	return ioError(w.state.tail(), w.log.StoreLogs(logs))
}

// DeleteRange removes a prefix or a suffix.
func (w *wal) DeleteRange(low, high uint64) error {
	if w.readOnly {
		return refusal(candor.ReasonInternal, w.state.dir, "opened to be read only")
	}
	return ioError(w.state.dir, w.log.DeleteRange(low, high))
}

func (w *wal) lastFile() string { return w.state.tail() }

func (w *wal) close() error {
	if w.log == nil {
		return nil
	}
	return ioError(w.state.dir, w.log.Close())
}

// checkLog verifies an entry as read from a store.
func checkLog(file func(uint64) string, index uint64, log *raft.Log) error {
	if log.Index != index {
		return corrupt(file(index), "entry %d says that it is %d", index, log.Index)
	}
	if log.Type != raft.LogCommand {
		return nil
	}
	if err := checkEntry(log.Data); err != nil {
		return corrupt(file(index), "entry %d: %v", index, err)
	}
	return nil
}
