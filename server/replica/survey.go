package replica

import (
	"context"
	"slices"
	"sync"
	"time"

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

// surveyPause is how soon a member is asked again that was behind.
const surveyPause = 5 * time.Millisecond

// Survey asks every member, after a confirmed read: it takes as long as the slowest
// answer, at most ConfirmTimeout, and a heartbeat where one is behind. Its errors are
// Confirm's.
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
			x.Applied, x.Answers = r.surveyed(ctx, server, term, index)
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

// surveyed is how far a member's view is, and whether it answered. One that is behind an
// index is asked again for as long as a heartbeat lasts: while writes go on, every member
// has yet to hear of the last of them, however well it keeps up.
func (r *Replica) surveyed(ctx context.Context, server raft.Server, term, index uint64) (applied uint64, answers bool) {
	for ends := time.Now().Add(r.settings.Heartbeat); ; {
		answer, err := r.askApplied(ctx, server, term)
		if err != nil {
			return applied, answers
		}
		applied, answers = answer.Applied(), true
		if applied >= index || time.Now().After(ends) {
			return applied, answers
		}
		select {
		case <-ctx.Done():
			return applied, answers
		case <-time.After(surveyPause):
		}
	}
}
