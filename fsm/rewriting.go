package fsm

import (
	"io"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// Rewrite begins a new history with a state: that of a new cluster, or of one that
// goes on after it lost its majority.
type Rewrite struct {
	ClusterID, HistoryID string
	// RaiseRevision is added to the root's revision, so that nothing of the
	// new history is ever mistaken for the old one's.
	RaiseRevision uint64
	// Term and Index are where the new history begins in the log; a Term of 0 is for
	// a new log, and means 1 and 1. Where the state's own position is not above them,
	// the requests that it remembers stay: what they name is covered.
	Term, Index uint64
	// Reached is the latest cluster time, in nanoseconds, that the old history may have
	// come to after the state; an earlier one than the state's counts as that.
	Reached int64
	// Servers are the members, as the first configuration of the new history, at
	// Index, has them. Without them the state knows none until a configuration entry
	// comes.
	Servers []transition.Server
}

// RewriteSnapshot verifies a snapshot and writes it as the beginning of a new
// history; see [Machine.Rewrite].
func RewriteSnapshot(r io.Reader, w io.Writer, to Rewrite) (Inspection, error) {
	s, err := readSnapshot(r)
	if err != nil {
		return Inspection{}, candor.Wrap("restore snapshot", err)
	}
	return (&Machine{state: s}).Rewrite(w, to)
}

// Rewrite writes the state as the beginning of a new history: its IDs are new, the
// revision is raised and the floor is there, superseded versions are pruned and
// members dropped. Every tenure is over, and its values are raised above what the old
// history may have used after the state (tenure.Lineage.Restored). Membership changes
// that pend were planned for other members: the first leader ends them. What users see
// of objects does not change: one that would is INVARIANT_VIOLATED, and nothing is
// written.
//
// The machine is used up by it, whatever the outcome.
func (m *Machine) Rewrite(w io.Writer, to Rewrite) (Inspection, error) {
	s := m.state
	was := inspect(s).Contents
	if to.Term == 0 {
		to.Term, to.Index = 1, 1
	}
	if err := s.endTenures(to); err != nil {
		return Inspection{}, candor.Wrap("restore snapshot", err)
	}
	if s.token.Index > to.Index {
		s.requests = newRequestTable()
	}
	s.clusterID, s.historyID = to.ClusterID, to.HistoryID
	s.floor = s.token.Revision
	for s.cursor < s.floor {
		m.prune(1 << 16)
	}
	s.token = candor.Token{Term: to.Term, Index: to.Index, Revision: s.token.Revision + to.RaiseRevision}
	s.floor, s.cursor = s.token.Revision, s.token.Revision
	s.history = mvcc.NewHistory(s.cursor)
	s.leaderTerm, s.leaderID = 0, ""
	s.members = nil
	s.founded(to.Servers)
	s.renewLeases()
	m.publish()
	rewritten := inspect(s)
	if rewritten.Contents != was {
		return Inspection{}, candor.Errorf(candor.ReasonInvariantViolated, "restore snapshot: the contents would change, from digest %x to %x", was, rewritten.Contents)
	}
	snapshot := m.Snapshot()
	defer snapshot.Release()
	if _, err := snapshot.WriteTo(w); err != nil {
		return Inspection{}, candor.Wrap("restore snapshot", err)
	}
	return rewritten, nil
}

// Inspect says what the machine's state holds. It goes over every object.
func (m *Machine) Inspect() Inspection {
	m.applying.Lock()
	defer m.applying.Unlock()
	return inspect(m.state)
}

// endTenures ends the tenures of all duties for a new history.
func (s *state) endTenures(to Rewrite) error {
	before := s.tenures
	for _, duty := range tenure.RestoredDuties() {
		if l := before.of(duty); l.Current.Number == 0 {
			s.setLineage(l)
		}
	}
	for _, l := range s.tenures {
		after, err := l.Restored(tenure.Restoring{ClusterTime: s.time, Reached: to.Reached, Transitions: to.RaiseRevision})
		if err != nil {
			return err
		}
		s.setLineage(after)
	}
	return nil
}
