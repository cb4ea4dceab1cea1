package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// Survivor is what the data directory of a stopped server says.
type Survivor struct {
	Data     string `json:"data"`
	ServerID string `json:"serverID"`
	Name     string `json:"name"`
	// Term is raft's current one. LastIndex and LastTerm are where the log ends.
	Term          uint64 `json:"term"`
	FirstIndex    uint64 `json:"firstIndex"`
	LastIndex     uint64 `json:"lastIndex"`
	LastTerm      uint64 `json:"lastTerm"`
	SnapshotIndex uint64 `json:"snapshotIndex"`
	SnapshotTerm  uint64 `json:"snapshotTerm"`
	// Committed is an index up to which the directory proves that the log was
	// committed: a lower bound. The snapshot proves it for its own, and a leader that
	// took commands for the entry with which it began, for it takes none before.
	Committed uint64 `json:"committedAtLeast"`
	// LastWrite is a leader's wall clock at the newest entry that tells it.
	LastWrite time.Time `json:"lastWrite,omitzero"`
	// ConfigurationIndex is of the newest configuration in log and snapshot.
	ConfigurationIndex uint64 `json:"configurationIndex"`
	// CleanStop says that the server ended in order.
	CleanStop bool `json:"cleanStop"`
	// Quarantined says that its view was found to differ from a majority's.
	Quarantined bool `json:"quarantined,omitempty"`
	// Discarded are entries here that the directory that is chosen does not have.
	Discarded *IndexRange `json:"discarded,omitempty"`
	// Files are what was read.
	Files []datadir.FileSum `json:"files"`
}

// IndexRange is a range of log indexes, both ends included.
type IndexRange struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// String is the range for people.
func (r IndexRange) String() string {
	if r.From == r.To {
		return fmt.Sprintf("entry %d", r.From)
	}
	return fmt.Sprintf("entries %d to %d", r.From, r.To)
}

// survivor is one whose directory is open, and so kept from every server.
type survivor struct {
	Survivor
	dir           *datadir.Dir
	identity      datadir.Identity
	configuration raft.Configuration
	snapshot      *raft.SnapshotMeta
}

// openSurvivor reads a directory and changes nothing in it.
func openSurvivor(data string, logger hclog.Logger) (*survivor, error) {
	path, err := filepath.Abs(data)
	if err != nil {
		return nil, candor.Wrap("data directory", err)
	}
	if _, err := os.Stat(filepath.Join(path, "identity.json")); err != nil {
		return nil, candor.Errorf(candor.ReasonNotFound, "data directory %s: there is no server's, for want of an identity.json that can be read", data)
	}
	dir, err := datadir.Open(path, datadir.Options{ReadOnly: true, Logger: logger})
	if err != nil {
		return nil, err
	}
	s := &survivor{dir: dir, identity: dir.Identity()}
	s.Data, s.ServerID, s.Name = path, s.identity.ServerID, s.identity.Name
	if err := s.read(); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return s, nil
}

func (s *survivor) read() error {
	found := s.dir.Recovery()
	s.Term, s.FirstIndex = found.CurrentTerm, found.FirstIndex
	s.LastIndex, s.LastTerm = found.LastIndex, found.LastTerm
	s.SnapshotIndex, s.SnapshotTerm = found.SnapshotIndex, found.SnapshotTerm
	s.CleanStop = found.State == candor.RestartReady
	trust, err := s.dir.Trust()
	if err != nil {
		return err
	}
	s.Quarantined = trust.Quarantine != nil
	snapshots, err := s.dir.Snapshots().List()
	if err != nil {
		return err
	}
	if len(snapshots) > 0 {
		s.snapshot = snapshots[0]
		s.configuration, s.ConfigurationIndex = s.snapshot.Configuration, s.snapshot.ConfigurationIndex
		if s.LastIndex < s.SnapshotIndex {
			s.LastIndex, s.LastTerm = s.SnapshotIndex, s.SnapshotTerm
		}
	}
	s.Committed = s.SnapshotIndex
	began := map[uint64]uint64{}
	if err := s.entries(func(log *raft.Log) error { return s.look(log, began) }); err != nil {
		return err
	}
	s.Files, err = s.dir.Sums()
	return err
}

// entries goes over the log above the snapshot.
func (s *survivor) entries(each func(*raft.Log) error) error {
	first, err := s.dir.Log().FirstIndex()
	if err != nil {
		return candor.Wrap("read log", err)
	}
	for index := max(first, s.SnapshotIndex+1); first != 0 && index <= s.LastIndex; index++ {
		var log raft.Log
		if err := s.dir.Log().GetLog(index, &log); err != nil {
			return candor.Wrap("read log", err)
		}
		if err := each(&log); err != nil {
			return err
		}
	}
	return nil
}

// look notes what an entry proves. began is where the leaders of terms began.
func (s *survivor) look(log *raft.Log, began map[uint64]uint64) error {
	if log.Type == raft.LogConfiguration {
		s.configuration, s.ConfigurationIndex = raft.DecodeConfiguration(log.Data), log.Index
	}
	if log.Type != raft.LogCommand {
		return nil
	}
	entry, err := command.DecodeEntry(log.Data)
	if err != nil {
		return candor.Wrap(fmt.Sprintf("entry %d", log.Index), err)
	}
	if entry.Wall != 0 {
		s.LastWrite = time.Unix(0, entry.Wall).UTC()
	}
	var c command.Command
	for _, data := range entry.Commands {
		if err := command.DecodeCommand(data, &c); err != nil {
			return candor.Wrap(fmt.Sprintf("entry %d", log.Index), err)
		}
		if c.Type == command.TypeLeaderStart {
			began[log.Term] = log.Index
			continue
		}
		s.Committed = max(s.Committed, began[log.Term])
	}
	return nil
}

// termAt is the term of an entry, false where it is not there any more.
func (s *survivor) termAt(index uint64) (uint64, bool) {
	if index == s.SnapshotIndex {
		return s.SnapshotTerm, true
	}
	var log raft.Log
	err := s.dir.Log().GetLog(index, &log)
	return log.Term, err == nil
}

// beyond are the entries of s that other does not have. Two logs that have one entry
// in common have all before it in common.
func (s *survivor) beyond(other *survivor) *IndexRange {
	common := min(s.LastIndex, other.LastIndex)
	for common > max(s.SnapshotIndex, other.SnapshotIndex) {
		mine, ok := s.termAt(common)
		theirs, also := other.termAt(common)
		if ok && also && mine == theirs {
			break
		}
		common--
	}
	if common >= s.LastIndex {
		return nil
	}
	return &IndexRange{From: common + 1, To: s.LastIndex}
}

// furtherThan orders by where logs end, as an election does; a quarantined state comes
// after every other.
func (s *survivor) furtherThan(other *survivor) bool {
	if s.Quarantined != other.Quarantined {
		return !s.Quarantined
	}
	if s.LastTerm != other.LastTerm {
		return s.LastTerm > other.LastTerm
	}
	return s.LastIndex > other.LastIndex
}

// rebuild is the state at the end of the log.
func (s *survivor) rebuild() (m *fsm.Machine, err error) {
	defer func() {
		// The machine refuses what it cannot apply by a panic with an Error.
		if cause := recover(); cause != nil {
			refused, ok := cause.(*candor.Error)
			if !ok {
				panic(cause)
			}
			m, err = nil, candor.Wrap("apply the log of "+s.Data, refused)
		}
	}()
	m = fsm.New(fsm.Config{ClusterID: s.identity.ClusterID})
	if s.snapshot != nil {
		_, stream, err := s.dir.Snapshots().Open(s.snapshot.ID)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(m.Restore(stream), stream.Close()); err != nil {
			return nil, candor.Wrap(s.dir.Snapshots().Path(s.snapshot.ID), err)
		}
	}
	const batch = 256
	var entries []fsm.Committed
	err = s.entries(func(log *raft.Log) error {
		if log.Type != raft.LogCommand && log.Type != raft.LogConfiguration {
			return nil
		}
		c := fsm.Committed{Term: log.Term, Index: log.Index, Data: log.Data}
		if log.Type == raft.LogConfiguration {
			c.Configuration, c.Servers = true, membersOf(raft.DecodeConfiguration(log.Data))
		}
		if entries = append(entries, c); len(entries) == batch {
			m.Apply(entries)
			entries = entries[:0]
		}
		return nil
	})
	if err == nil {
		m.Apply(entries)
	}
	return m, err
}

// membersOf is a configuration as the state machine takes it.
func membersOf(c raft.Configuration) []transition.Server {
	servers := make([]transition.Server, 0, len(c.Servers))
	for _, s := range c.Servers {
		servers = append(servers, transition.Server{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter})
	}
	return servers
}
