package replica

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// Memory keeps a replica's data for as long as the process lives: for tests,
// and in virtual time, where a disk has no place. A replica that is started
// again on the same Memory finds what the one before left.
type Memory struct {
	store     *raft.InmemStore
	snapshots *memorySnapshots
}

// NewMemory is empty.
func NewMemory() *Memory {
	return &Memory{store: raft.NewInmemStore(), snapshots: &memorySnapshots{}}
}

// memorySnapshots keeps the newest snapshot. raft's own in-memory store shows a
// snapshot before it is whole.
type memorySnapshots struct {
	mu    sync.Mutex
	begun int
	kept  *memorySnapshot
}

type memorySnapshot struct {
	meta raft.SnapshotMeta
	data []byte
}

// Create begins a snapshot; it exists once the sink is closed.
func (s *memorySnapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, _ raft.Transport,
) (raft.SnapshotSink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	return &memorySink{store: s, meta: raft.SnapshotMeta{
		Version: version, ID: fmt.Sprintf("%d-%d-%d", index, term, s.begun), Index: index, Term: term,
		Configuration: configuration, ConfigurationIndex: configurationIndex,
	}}, nil
}

// List names the snapshot, if there is one.
func (s *memorySnapshots) List() ([]*raft.SnapshotMeta, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		return nil, nil
	}
	meta := s.kept.meta
	return []*raft.SnapshotMeta{&meta}, nil
}

// Open opens the snapshot.
func (s *memorySnapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || s.kept.meta.ID != id {
		return nil, nil, candor.Errorf(candor.ReasonNotFound, "no snapshot %s", id)
	}
	meta := s.kept.meta
	return &meta, io.NopCloser(bytes.NewReader(s.kept.data)), nil
}

type memorySink struct {
	store *memorySnapshots
	meta  raft.SnapshotMeta
	data  []byte
}

func (s *memorySink) ID() string    { return s.meta.ID }
func (s *memorySink) Cancel() error { return nil }

func (s *memorySink) Write(p []byte) (int, error) {
	s.data = append(s.data, p...)
	return len(p), nil
}

func (s *memorySink) Close() error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if s.store.kept != nil && s.store.kept.meta.Index > s.meta.Index {
		return nil
	}
	s.meta.Size = int64(len(s.data))
	s.store.kept = &memorySnapshot{meta: s.meta, data: s.data}
	return nil
}
