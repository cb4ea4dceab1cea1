package fsm

import (
	"errors"
	"io"

	"github.com/candor-plane/candor"
)

// adoptBehind is how many entries another machine may be behind when Adopt stops
// turns to bring it up.
const adoptBehind = 64

// Rebuild reads a snapshot into a machine of its own, beside this one, which
// goes on. Any goroutine may call it.
func (m *Machine) Rebuild(r io.Reader) (*Machine, error) {
	s, err := readSnapshot(r)
	if err != nil {
		return nil, candor.Wrap("rebuild from snapshot", err)
	}
	if m.config.ClusterID != "" && s.clusterID != m.config.ClusterID {
		return nil, candor.Errorf(candor.ReasonClusterMismatch, "snapshot is of cluster %s; this server belongs to %s", s.clusterID, m.config.ClusterID)
	}
	other := &Machine{config: Config{ClusterID: m.config.ClusterID}, state: s}
	other.noteDigest()
	other.publish()
	return other, nil
}

// follow is Apply for entries that this node has applied before: if one is not
// what it was, that is no reason to stop the node.
func (m *Machine) follow(batch []Committed) (err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case error:
			if _, ok := errors.AsType[*candor.Error](cause); !ok {
				panic(cause)
			}
			err = candor.Wrap("follow the log", cause)
		default:
			panic(cause)
		}
	}()
	m.Apply(batch)
	return nil
}

// Adopt puts another machine's state in the place of this one's, at the position
// that this one has reached by then: entries returns those after one index up to
// another, oldest first, and the other machine applies them. The other machine
// is not to be used again. Where that state made fewer revisions than the one
// that it replaces, views after it have another number of Rewinds: what this
// machine showed before was wrong, and positions in it mean nothing.
func (m *Machine) Adopt(other *Machine, entries func(after, upto uint64) ([]Committed, error)) error {
	follow := func(upto uint64) error {
		for other.state.token.Index < upto {
			before := other.state.token.Index
			batch, err := entries(before, upto)
			if err != nil {
				return err
			}
			if len(batch) == 0 {
				return candor.Errorf(candor.ReasonDataCorrupt, "the log has no entry of the state machine between %d and %d", before, upto)
			}
			if err := other.follow(batch); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		upto := m.View().token.Index
		if upto <= other.state.token.Index+adoptBehind {
			break
		}
		if err := follow(upto); err != nil {
			return err
		}
	}
	m.applying.Lock()
	defer m.applying.Unlock()
	if err := follow(m.state.token.Index); err != nil {
		return err
	}
	s := other.state
	if served := m.View().token; s.token.Index < served.Index {
		return candor.Errorf(candor.ReasonConflict, "the rebuilt state is at %s, below the served position %s", s.token, served)
	} else if s.token.Revision < served.Revision {
		m.rewinds++
	}
	m.state, m.unlinks, m.policy = s, other.unlinks, nil
	m.mu.Lock()
	m.digests = other.digests
	m.mu.Unlock()
	m.publish()
	return nil
}
