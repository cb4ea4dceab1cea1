package server

import (
	"sync/atomic"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// newestHint is kept: every answer carries one, and it is seldom another.
type newestHint struct{ newest atomic.Pointer[placed] }

// placed is a hint with the members that it was found among. Immutable.
type placed struct {
	hint    candor.LeaderHint
	members []fsm.Member
}

// leader is the replica's hint with what is known of the server; it must not be
// modified.
func (s *Server) leader() *candor.LeaderHint {
	id, term := s.replica.LeaderID()
	if id == "" {
		return nil
	}
	members := s.machine.View().Members()
	if known := s.hint.newest.Load(); known != nil && known.hint.ServerID == id && known.hint.Term == term && same(known.members, members) {
		return &known.hint
	}
	found := &placed{hint: *s.located(&candor.LeaderHint{ServerID: id, Term: term}), members: members}
	if found.hint.Address != "" {
		s.hint.newest.Store(found)
	}
	return &found.hint
}

// same says whether two lists are one: a list of members is replaced, never
// changed.
func same(a, b []fsm.Member) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
