package replica

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// reignGrace is what a leader that is deposed may take to answer what it was
// asked: while it is well, it can say that a command was surely not done.
const reignGrace = 150 * time.Millisecond

// reign is the time during which this server believes one server to lead. What
// was asked of that server need not be waited for once another one leads: the
// first may be stopped, or cut off, and its connections still stand.
type reign struct {
	mu     sync.Mutex
	leader raft.ServerID
	// asking are the calls to the leader that are under way.
	asking map[*context.CancelFunc]struct{}
}

// follow hears who leads until ctx ends, and says so each time. That nobody does ends no reign: the
// answer may be on its way.
func (g *reign) follow(ctx context.Context, r *raft.Raft, turned func()) {
	heard := make(chan raft.Observation, 8)
	observer := raft.NewObserver(heard, false, func(o *raft.Observation) bool {
		_, ok := o.Data.(raft.LeaderObservation)
		return ok
	})
	r.RegisterObserver(observer)
	defer r.DeregisterObserver(observer)
	for {
		select {
		case <-ctx.Done():
			g.change("")
			return
		case <-heard:
			turned()
			// Observations may be dropped; the newest is what counts.
			if _, id := r.LeaderWithID(); id != "" {
				g.change(id)
			}
		}
	}
}

func (g *reign) change(leader raft.ServerID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.leader == leader {
		return
	}
	g.leader = leader
	before := g.asking
	g.asking = nil
	if len(before) == 0 {
		return
	}
	time.AfterFunc(reignGrace, func() {
		for _, cancel := range g.left(before) {
			cancel()
		}
	})
}

// left are the calls of an earlier reign that have not ended.
func (g *reign) left(calls map[*context.CancelFunc]struct{}) (left []context.CancelFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for cancel := range calls {
		left = append(left, *cancel)
	}
	return left
}

// during is a context that ends with ctx, or when another server leads than the
// one that is asked.
func (g *reign) during(ctx context.Context, leader raft.ServerID) (context.Context, func()) {
	bounded, cancel := context.WithCancel(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.leader != leader {
		// It was heard of on another way; the reign is told soon.
		return bounded, cancel
	}
	if g.asking == nil {
		g.asking = map[*context.CancelFunc]struct{}{}
	}
	calls := g.asking
	calls[&cancel] = struct{}{}
	return bounded, func() {
		g.mu.Lock()
		delete(calls, &cancel)
		g.mu.Unlock()
		cancel()
	}
}
