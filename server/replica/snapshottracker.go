package replica

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// trackedSnapshots tells the tracker, and the replica, of snapshots that exist.
type trackedSnapshots struct {
	raft.SnapshotStore
	track *configurationTracker
	// kept hears of each snapshot that exists now.
	kept func(index uint64, bytes int64)

	// own counts the snapshots that this server is taking itself, taken the
	// others: a leader's, on their way to the state machine.
	own, taken atomic.Int32

	mu     sync.Mutex
	opened string
}

// installing says whether a leader's snapshot is on its way in.
func (s *trackedSnapshots) installing() bool { return s.taken.Load() > 0 }

// installed ends that, however it ended.
func (s *trackedSnapshots) installed() { s.taken.Store(0) }

// Open notes which snapshot is about to be read.
func (s *trackedSnapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	s.mu.Lock()
	s.opened = id
	s.mu.Unlock()
	return s.SnapshotStore.Open(id)
}

// openedID is the snapshot opened last.
func (s *trackedSnapshots) openedID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Create begins a snapshot.
func (s *trackedSnapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, trans raft.Transport,
) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, configuration, configurationIndex, trans)
	if err != nil {
		return nil, err
	}
	if s.own.Load() == 0 {
		s.taken.Store(1)
	}
	return &trackedSink{SnapshotSink: sink, store: s, index: index, configuration: configuration, configurationIndex: configurationIndex}, nil
}

type trackedSink struct {
	raft.SnapshotSink
	store              *trackedSnapshots
	index              uint64
	configuration      raft.Configuration
	configurationIndex uint64
	size               int64
}

func (s *trackedSink) Write(p []byte) (int, error) {
	n, err := s.SnapshotSink.Write(p)
	s.size += int64(n)
	return n, err
}

func (s *trackedSink) Cancel() error {
	s.store.installed()
	return s.SnapshotSink.Cancel()
}

func (s *trackedSink) Close() error {
	if err := s.SnapshotSink.Close(); err != nil {
		s.store.installed()
		return err
	}
	s.store.track.snapshot(s.configurationIndex, s.configuration)
	s.store.kept(s.index, s.size)
	return nil
}
