package replica

import (
	"context"
	"sync"

	"github.com/hashicorp/raft"
)

// reign is the time during which this server believes one server to lead. What
// was asked of that server need not be waited for once another one leads: the
// first may be stopped, or cut off, and its connections still stand.
type reign struct {
	mu     sync.Mutex
	leader raft.ServerID
	// asking are the calls to the leader that are under way.
	asking map[*context.CancelFunc]struct{}
}

// follow hears who leads until ctx ends. That nobody does ends no reign: the
// answer may be on its way.
func (g *reign) follow(ctx context.Context, r *raft.Raft) {
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
	for cancel := range g.asking {
		(*cancel)()
	}
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
	g.asking[&cancel] = struct{}{}
	return bounded, func() {
		g.mu.Lock()
		delete(g.asking, &cancel)
		g.mu.Unlock()
		cancel()
	}
}
