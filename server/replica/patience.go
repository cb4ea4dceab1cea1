package replica

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// patienceTick is how soon a follower that was away is noticed.
const patienceTick = 20 * time.Millisecond

// patience keeps raft's leader from waiting longer and longer for a follower
// that is away: raft counts failed messages, and after a dozen it waits 10 s
// between two. A failed message is told to raft only once the follower answers
// heartbeats again, so that raft counts one and tries anew at once.
type patience struct {
	// leads says whether this server leads in the term, and the other is a member.
	leads func(term uint64, id raft.ServerID) bool

	mu   sync.Mutex
	away map[raft.ServerID]bool
	done chan struct{}
	shut sync.Once
}

func newPatience(leads func(term uint64, id raft.ServerID) bool) *patience {
	return &patience{leads: leads, away: map[raft.ServerID]bool{}, done: make(chan struct{})}
}

// heartbeat notes how one ended.
func (p *patience) heartbeat(id raft.ServerID, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		delete(p.away, id)
	}
}

// wait returns once the follower is back, or its absence no longer matters.
func (p *patience) wait(id raft.ServerID, term uint64) {
	p.mu.Lock()
	p.away[id] = true
	p.mu.Unlock()
	tick := time.NewTicker(patienceTick)
	defer tick.Stop()
	for p.isAway(id) && p.leads(term, id) {
		select {
		case <-tick.C:
		case <-p.done:
			return
		}
	}
}

func (p *patience) isAway(id raft.ServerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away[id]
}

// stop ends all waiting.
func (p *patience) stop() { p.shut.Do(func() { close(p.done) }) }
