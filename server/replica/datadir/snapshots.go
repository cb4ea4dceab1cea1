package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

const (
	snapshotsName  = "snapshots"
	snapshotSuffix = ".snap"
	damagedSuffix  = ".damaged"
)

// Snapshots keeps the newest snapshot, one file each. It is safe for concurrent
// use; a reader keeps what it opened even after a newer one took its place.
type Snapshots struct {
	dir   string
	fs    FS
	begun atomic.Uint64
}

var _ raft.SnapshotStore = (*Snapshots)(nil)

// Create begins a snapshot; it exists once the sink is closed.
func (s *Snapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, _ raft.Transport,
) (raft.SnapshotSink, error) {
	if version != raft.SnapshotVersionMax {
		return nil, candor.Errorf(candor.ReasonInternal, "snapshot version %d; this build writes %d", version, raft.SnapshotVersionMax)
	}
	header := snapshotHeader{
		Format: snapshotFormat1, Index: index, Term: term,
		Configuration: configuration, ConfigurationIndex: configurationIndex,
	}
	return newSink(s, fmt.Sprintf("%020d-%020d", index, term), &header)
}

// List names the snapshots, newest first. One that cannot be read fails the
// whole: raft must not quietly take an older one.
func (s *Snapshots) List() ([]*raft.SnapshotMeta, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	var metas []*raft.SnapshotMeta
	for _, id := range ids {
		f, err := s.open(id)
		if err != nil {
			return nil, err
		}
		metas = append(metas, f.header.meta(id, f.length))
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return metas, nil
}

// Open opens a snapshot's stream.
func (s *Snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	f, err := s.open(id)
	if err != nil {
		return nil, nil, err
	}
	return f.header.meta(id, f.length), f, nil
}

// Path names a snapshot's file.
func (s *Snapshots) Path(id string) string { return filepath.Join(s.dir, id+snapshotSuffix) }

// SetAside renames a snapshot that cannot be used, so that it is neither used
// nor lost.
func (s *Snapshots) SetAside(id string) error {
	path := s.Path(id)
	if err := s.fs.Rename(path, path+damagedSuffix); err != nil {
		return ioError(path, err)
	}
	return ioError(path, s.fs.SyncDir(s.dir))
}

// newest is the newest snapshot's header; nil when there is none.
func (s *Snapshots) newest() (*raft.SnapshotMeta, error) {
	metas, err := s.List()
	if err != nil || len(metas) == 0 {
		return nil, err
	}
	return metas[0], nil
}

func (s *Snapshots) open(id string) (*snapshotFile, error) {
	path := s.Path(id)
	f, err := s.fs.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, ioError(path, err)
	}
	return openSnapshotFile(f, path)
}

// ids are in order, newest first: names sort by index, then term.
func (s *Snapshots) ids() ([]string, error) {
	entries, err := s.fs.List(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, corrupt(s.dir, "missing")
	}
	if err != nil {
		return nil, ioError(s.dir, err)
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), snapshotSuffix); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids, nil
}

// reap removes snapshots older than the one kept, and what was left unfinished.
func (s *Snapshots) reap(keep string) error {
	entries, err := s.fs.List(s.dir)
	if err != nil {
		return ioError(s.dir, err)
	}
	for _, e := range entries {
		id, isSnapshot := strings.CutSuffix(e.Name(), snapshotSuffix)
		if !isSnapshot || id >= keep {
			continue
		}
		path := filepath.Join(s.dir, e.Name())
		if err := s.fs.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ioError(path, err)
		}
	}
	return nil
}

// removeUnfinished removes what a crash left of a snapshot being written.
func (s *Snapshots) removeUnfinished() error {
	entries, err := s.fs.List(s.dir)
	if err != nil {
		return ioError(s.dir, err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), tmpSuffix) {
			continue
		}
		if err := removeDurably(s.fs, filepath.Join(s.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
