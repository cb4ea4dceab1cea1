package fsm

import (
	"slices"

	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/wire"
)

// Configuration is who the members are as of the newest configuration entry in the
// view, and whose LeaderStart is the newest; it must not be modified. It is zero where
// no such entry is known.
func (v *View) Configuration() transition.Configuration { return v.configuration }

// membersUnder is the configuration, led by that server.
func (s *state) membersUnder(leader string) transition.Configuration {
	c := s.configuration
	c.Leader = leader
	return c
}

// reconfigure takes a configuration entry. It carries no command, so it makes no turn
// and no revision, and nobody may be woken by it: it notes in the index which pending
// membership changes it shows to have happened, for good, and the next turn that may
// write of transitions says so in their objects (ADR 13).
func (s *state) reconfigure(index uint64, servers []transition.Server) {
	if len(servers) == 0 {
		return
	}
	s.configuration = transition.Configuration{Index: index, Servers: slices.Clone(servers)}
	for _, x := range s.pendingMembership() {
		if after := s.observed(x, s.membersUnder(s.leaderID), index); after.Entry != x.Entry {
			s.setTransition(after)
		}
	}
}

// observed notes in an entry what the members show at a log index.
func (s *state) observed(x TransitionEntry, c transition.Configuration, at uint64) TransitionEntry {
	m, ok := s.intended(x.Pending.ID)
	if ok && !x.Void {
		x.Entry = transition.Observe(x.Entry, x.Kind, x.Target, m, c, at)
	}
	return x
}

// founded takes the members with whom a new history begins, at the position that the
// state has by then. What pends was not planned for them.
func (s *state) founded(servers []transition.Server) {
	s.configuration = transition.Configuration{}
	if len(servers) > 0 {
		s.configuration = transition.Configuration{Index: s.token.Index, Servers: slices.Clone(servers)}
	}
	for _, x := range s.pendingMembership() {
		x.Void = true
		s.setTransition(x)
	}
}

func appendConfiguration(b []byte, c *transition.Configuration) []byte {
	b = wire.AppendUint(b, 1, c.Index)
	for i := range c.Servers {
		b = wire.AppendNested(b, 2, func(b []byte) []byte {
			b = wire.AppendString(b, 1, c.Servers[i].ID)
			b = wire.AppendString(b, 2, c.Servers[i].Address)
			return wire.AppendBool(b, 3, c.Servers[i].Voter)
		})
	}
	return b
}

func decodeConfiguration(data []byte) (transition.Configuration, error) {
	var c transition.Configuration
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			c.Index = r.Uint()
		case 2:
			c.Servers = append(c.Servers, decodeServer(&r))
		}
	}
	return c, r.Err()
}

func decodeServer(outer *wire.Reader) transition.Server {
	var x transition.Server
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			x.ID = clone(r.String())
		case 2:
			x.Address = clone(r.String())
		case 3:
			x.Voter = r.Bool()
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return x
}
