package stage

import (
	"context"
	"slices"

	"github.com/candor-plane/candor"
)

// Remains stops a server that is up and well, as an operator does, and returns its data
// directory, which is nobody's then until Close removes it. It is for the end of a
// drill: the server does not come back. A follower is taken before the leader, whose
// stop would move what it holds. The error is UNAVAILABLE where no server is well.
func (s *Stage) Remains(ctx context.Context) (dir string, err error) {
	leader, _ := s.awaitLeader(ctx) // without one nobody is well
	members := slices.DeleteFunc(s.current(), func(m *member) bool { return m == leader })
	if leader != nil {
		members = append(members, leader)
	}
	err = candor.Errorf(candor.ReasonUnavailable, "no server runs")
	for _, m := range members {
		if m.running() == nil {
			continue
		}
		if err = s.well(ctx, m); err != nil {
			continue
		}
		if err = m.stop(ctx); err == nil {
			return m.server.Data, nil
		}
	}
	return "", err
}
