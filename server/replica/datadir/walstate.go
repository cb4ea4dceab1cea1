package datadir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"github.com/candor-plane/candor"
)

const (
	walStateName  = "segments.json"
	segmentSuffix = ".wal"
)

// walDocument is the list of segments that make up the log.
type walDocument struct {
	NextSegmentID uint64              `json:"nextSegmentID"`
	Segments      []types.SegmentInfo `json:"segments"`
	CRC32C        string              `json:"crc32c"`
}

func (d *walDocument) checksum() *string { return &d.CRC32C }

// walState keeps the list in a checksummed file, instead of the bbolt file that
// raft-wal brings, and makes each tail's file durable before the list names
// it: a segment that the list names and nobody finds is therefore damage, and
// never the trace of a crash.
type walState struct {
	dir string
	fs  FS

	mu    sync.Mutex
	state types.PersistentState
}

var _ types.MetaStore = (*walState)(nil)

func (s *walState) path() string { return filepath.Join(s.dir, walStateName) }

func (s *walState) read() error {
	var doc walDocument
	err := readSealed(s.fs, s.path(), &doc)
	if errors.Is(err, fs.ErrNotExist) {
		return corrupt(s.path(), "missing")
	}
	if err != nil {
		return ioError(s.path(), err)
	}
	s.state = types.PersistentState{NextSegmentID: doc.NextSegmentID, Segments: doc.Segments}
	return nil
}

// Load returns what read found.
func (s *walState) Load(string) (types.PersistentState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return types.PersistentState{NextSegmentID: s.state.NextSegmentID, Segments: slices.Clone(s.state.Segments)}, nil
}

// CommitState replaces the list durably.
func (s *walState) CommitState(state types.PersistentState) error {
	if n := len(state.Segments); n > 0 && state.Segments[n-1].SealTime.IsZero() {
		if err := s.ensureTail(state.Segments[n-1]); err != nil {
			return err
		}
	}
	doc := walDocument{NextSegmentID: state.NextSegmentID, Segments: slices.Clone(state.Segments)}
	if err := writeSealed(s.fs, s.path(), &doc); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = types.PersistentState{NextSegmentID: doc.NextSegmentID, Segments: doc.Segments}
	return nil
}

func (s *walState) ensureTail(info types.SegmentInfo) error {
	if s.names(info.ID) {
		return nil
	}
	path := filepath.Join(s.dir, segment.FileName(info))
	f, err := s.fs.Open(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return ioError(path, err)
	}
	err = f.Preallocate(int64(info.SizeLimit))
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = s.fs.SyncDir(s.dir)
	}
	if err != nil {
		// The list does not name it, so that nobody misses it.
		_ = s.fs.Remove(path)
	}
	return ioError(path, err)
}

func (s *walState) names(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.state.Segments, func(i types.SegmentInfo) bool { return i.ID == id })
}

// file names the file that holds an index, or should.
func (s *walState) file(index uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, info := range slices.Backward(s.state.Segments) {
		if index >= info.BaseIndex {
			return filepath.Join(s.dir, segment.FileName(info))
		}
	}
	return s.dir
}

// tail names the file that the log ends in.
func (s *walState) tail() string { return s.file(^uint64(0)) }

// removeStrays removes segment files that the list does not name: those of a
// rotation or truncation cut short.
func (s *walState) removeStrays() error {
	entries, err := s.fs.List(s.dir)
	if err != nil {
		return ioError(s.dir, err)
	}
	named := map[string]bool{}
	for _, info := range s.state.Segments {
		named[segment.FileName(info)] = true
	}
	for _, e := range entries {
		stray := strings.HasSuffix(e.Name(), segmentSuffix) && !named[e.Name()] || strings.HasSuffix(e.Name(), tmpSuffix)
		if !stray {
			continue
		}
		path := filepath.Join(s.dir, e.Name())
		if err := removeDurably(s.fs, path); err != nil {
			return err
		}
	}
	return nil
}

// GetStable and SetStable have no caller: terms and votes are in the stable
// store.
func (s *walState) GetStable([]byte) ([]byte, error) {
	return nil, candor.Errorf(candor.ReasonInternal, "%s holds segments only", s.path())
}

// SetStable refuses, as GetStable does.
func (s *walState) SetStable([]byte, []byte) error {
	return candor.Errorf(candor.ReasonInternal, "%s holds segments only", s.path())
}

// Close has nothing to close.
func (s *walState) Close() error { return nil }
