package fsm

import (
	"slices"

	"github.com/candor-plane/candor"
)

func (d *draft) leaderStart() *candor.Error {
	term, id := d.cmd.Term, clone(d.cmd.ServerID)
	if term != d.env.term {
		return candor.Errorf(candor.ReasonNotLeader, "start of leader %s in term %d arrived in term %d", id, term, d.env.term)
	}
	wall := d.env.wall
	d.effects = append(d.effects, func(s *state) {
		s.leaderTerm, s.leaderID = term, id
		if s.time == 0 {
			// The first leader sets the origin; from here on only the
			// difference of its monotonic clock counts.
			s.time = wall
		}
	})
	return d.settle("", id)
}

// hello records what a member supports; level 0 forgets the member.
func (d *draft) hello() *candor.Error {
	m := Member{ServerID: clone(d.cmd.ServerID), Name: clone(d.cmd.ServerName), APIAddress: clone(d.cmd.APIAddress), Level: d.cmd.Level}
	if m.Level != 0 && m.Level < d.m.state.level {
		return candor.Errorf(candor.ReasonFeatureLevel, "server %s supports feature level %d; the cluster is at %d: run a newer build", m.Name, m.Level, d.m.state.level)
	}
	d.effects = append(d.effects, func(s *state) {
		members := slices.DeleteFunc(slices.Clone(s.members), func(o Member) bool { return o.ServerID == m.ServerID })
		if m.Level != 0 {
			members = append(members, m)
			slices.SortFunc(members, func(a, b Member) int {
				if a.ServerID < b.ServerID {
					return -1
				}
				return 1
			})
		}
		s.members = members
	})
	return nil
}

func (d *draft) raiseLevel() *candor.Error {
	s, level := d.m.state, d.cmd.Level
	if level <= s.level {
		return candor.Errorf(candor.ReasonFeatureLevel, "the feature level is %d already; it never goes down", s.level)
	}
	for _, m := range s.members {
		if m.Level < level {
			return candor.Errorf(candor.ReasonFeatureLevel, "server %s supports feature level %d, not %d: run a newer build there first", m.Name, m.Level, level)
		}
	}
	d.effects = append(d.effects, func(s *state) { s.level = level })
	return nil
}
