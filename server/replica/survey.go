package replica

import (
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/raft"
)

// Survey is the members as the leader finds them.
type Survey struct {
	Configuration Configuration
	// Proven covers everything that was acknowledged before the survey.
	Proven  uint64
	Servers []Surveyed
}

// Surveyed is one member: whether it answered in this term, how far its view was, and
// whether its state was seen to differ from the majority's.
type Surveyed struct {
	raft.Server
	Answers bool
	Applied uint64
	Differs bool
}

// Survey asks every member, after a confirmed read: it takes as long as the slowest
// answer, at most ConfirmTimeout. Its errors are Confirm's.
func (r *Replica) Survey(ctx context.Context) (Survey, error) {
	index, term, err := r.ReadIndex(ctx)
	if err != nil {
		return Survey{}, err
	}
	if err := r.WaitApplied(ctx, index); err != nil {
		return Survey{}, err
	}
	s := Survey{Configuration: r.track.latest(), Proven: index}
	s.Servers = make([]Surveyed, len(s.Configuration.Servers))
	var asked sync.WaitGroup
	for i, server := range s.Configuration.Servers {
		x := &s.Servers[i]
		x.Server = server
		if string(server.ID) == r.serverID {
			x.Answers, x.Applied = true, r.applied.index.Load()
			continue
		}
		asked.Add(1)
		started := r.background.start(func() {
			defer asked.Done()
			if answer, err := r.askApplied(ctx, server, term); err == nil {
				x.Answers, x.Applied = true, answer.Applied()
			}
		})
		if !started {
			asked.Done()
			asked.Wait()
			return Survey{}, errStopping
		}
	}
	asked.Wait()
	differing := r.AuditStatus().Differing
	for i := range s.Servers {
		s.Servers[i].Differs = slices.Contains(differing, s.Servers[i].ID)
	}
	return s, nil
}
