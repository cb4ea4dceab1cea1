package fsm

import (
	"io"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/internal/wire"
	"github.com/candor-plane/candor/internal/zoo"
)

// Record types of a snapshot, in the order they come.
const (
	recordHeader  = 'h'
	recordKind    = 'k'
	recordVersion = 'v'
	recordCascade = 'c'
	recordMember  = 'm'
	recordTurn    = 'r'
	recordRequest = 'q'
	recordTenure  = 'e'
	// recordMembers is the configuration, recordTransition an entry of the index.
	recordMembers    = 'g'
	recordTransition = 'x'
	recordLease      = 'l'
	recordTrailer    = 't'
)

// SnapshotHeader says what a snapshot holds.
type SnapshotHeader struct {
	ClusterID, HistoryID string
	Token                candor.Token
	// ClusterTime is in nanoseconds.
	ClusterTime   int64
	Level         uint32
	LeaderTerm    uint64
	LeaderID      string
	Floor, Cursor uint64
	NextCascade   uint64
	Faults        uint64
	Violations    uint64
	// AccessEpoch is how often access control was opened; 0: it is off.
	AccessEpoch uint64
	// Objects counts live objects, Versions all retained ones, Bytes their
	// size in memory.
	Objects, Versions, Bytes uint64
	Digest                   Digest
}

// Snapshot is a state captured at one position, to be streamed while turns go
// on. Release it when done.
type Snapshot struct {
	m        *Machine
	view     *View
	leaderID string
	requests heldRequests
	release  sync.Once
}

// Snapshot captures the published state in constant time, between two batches.
func (m *Machine) Snapshot() *Snapshot {
	m.applying.Lock()
	defer m.applying.Unlock()
	m.holds.Add(1)
	return &Snapshot{m: m, view: m.View(), leaderID: m.state.leaderID, requests: m.state.requests.capture()}
}

// Token is the position that the snapshot is of.
func (s *Snapshot) Token() candor.Token { return s.view.token }

// EstimatedBytes is about what WriteTo will write.
func (s *Snapshot) EstimatedBytes() uint64 { return s.view.stats.Bytes / 2 }

// Release lets the machine cut what it has pruned meanwhile. It may be called
// more than once, from any goroutine.
func (s *Snapshot) Release() { s.release.Do(func() { s.m.holds.Add(-1) }) }

func (s *Snapshot) header() SnapshotHeader {
	v := s.view
	return SnapshotHeader{
		ClusterID: v.clusterID, HistoryID: v.historyID, Token: v.token, ClusterTime: v.time, Level: v.level,
		LeaderTerm: v.leaderTerm, LeaderID: s.leaderID, Floor: v.floor, Cursor: v.cursor, NextCascade: v.nextCascade,
		Faults: v.stats.Faults, Violations: v.stats.Violations, AccessEpoch: v.accessEpoch,
		Objects: v.stats.Objects, Versions: v.stats.Versions, Bytes: v.stats.Bytes, Digest: v.digest,
	}
}

// WriteTo streams the snapshot. Any goroutine may call it, once, before
// Release.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) {
	f, err := newFrameWriter(w)
	if err != nil {
		return 0, err
	}
	if err := s.write(f); err != nil {
		return f.written, err
	}
	return f.written, f.flush()
}

func (s *Snapshot) write(f *frameWriter) error {
	header := s.header()
	if err := f.record(recordHeader, appendHeader(nil, &header)); err != nil {
		return err
	}
	for i := range s.view.kinds {
		if err := s.writeKind(f, &s.view.kinds[i]); err != nil {
			return err
		}
	}
	var err error
	s.view.cascades.Scan(func(_ uint64, c Cascade) bool {
		err = f.record(recordCascade, appendCascade(nil, c))
		return err == nil
	})
	if err != nil {
		return err
	}
	for _, m := range s.view.members {
		if err := f.record(recordMember, appendMember(nil, m)); err != nil {
			return err
		}
	}
	for i := range s.view.records {
		if err := f.record(recordTurn, appendRecord(nil, &s.view.records[i])); err != nil {
			return err
		}
	}
	for _, l := range s.view.tenures {
		if err := f.record(recordTenure, l.Append(nil)); err != nil {
			return err
		}
	}
	if c := s.view.configuration; c.Index != 0 {
		if err := f.record(recordMembers, appendConfiguration(nil, &c)); err != nil {
			return err
		}
	}
	s.view.transitions.Scan(func(_ string, x TransitionEntry) bool {
		err = f.record(recordTransition, appendTransitionEntry(nil, &x))
		return err == nil
	})
	if err != nil {
		return err
	}
	s.view.leases.Scan(func(_ string, l Lease) bool {
		err = f.record(recordLease, appendLease(nil, l))
		return err == nil
	})
	if err != nil {
		return err
	}
	if zoo.Enabled && zoo.Has(zoo.SnapshotForgets) {
		s.requests = heldRequests{}
	}
	err = s.requests.each(func(r *Remembered) error { return f.record(recordRequest, appendRemembered(nil, r)) })
	if err != nil {
		return err
	}
	return f.record(recordTrailer, appendHeader(nil, &header))
}

func (s *Snapshot) writeKind(f *frameWriter, k *viewKind) error {
	if err := f.record(recordKind, wire.AppendUint(wire.AppendString(nil, 1, string(k.name)), 2, k.touched)); err != nil {
		return err
	}
	var err error
	var body []byte
	k.tree.Scan("", "", func(head *mvcc.Version) bool {
		for x := head; x != nil && err == nil; x = x.Prev() {
			body = appendVersion(body[:0], x, s.position(x), x != head)
			err = f.record(recordVersion, body)
			if x.Revision <= s.view.cursor {
				break
			}
		}
		return err == nil
	})
	return err
}

// position is the version's place among those of its turn, where the index by
// revision still needs it.
func (s *Snapshot) position(v *mvcc.Version) uint64 {
	n := uint64(0)
	for x := s.view.Turn(v.Revision); x != nil && x != v; x = x.Sibling() {
		n++
	}
	return n
}
