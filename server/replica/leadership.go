package replica

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/internal/failpoint"
)

// leadership is one term in which this server leads and has applied its own
// LeaderStart. It is a term and never a bool: lost and regained between two
// looks, it is another one.
type leadership struct {
	term uint64
	// base is the state's cluster time when LeaderStart had applied, and since
	// the local clock then.
	base  int64
	since time.Duration
	// proved is the local clock at the newest moment of which a majority's
	// following is known.
	proved atomic.Int64
}

// time is the cluster time to stamp an entry with at a local time, never 0.
func (l *leadership) time(now time.Duration) int64 {
	return max(1, l.base+int64(now-l.since))
}

// prove takes note that a majority followed at a local time.
func (l *leadership) prove(at time.Duration) {
	for {
		known := l.proved.Load()
		if int64(at) <= known || l.proved.CompareAndSwap(known, int64(at)) {
			return
		}
	}
}

// lead follows raft's own idea of who leads. It reads LeaderCh, whose one place
// holds the newest value: two in a row that say yes mean lost and regained.
func (r *Replica) lead(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			r.unlead()
			return
		case leads := <-r.raft.LeaderCh():
			r.keepPace(leads)
			if !leads {
				r.unlead()
				continue
			}
			r.establish(ctx)
		}
	}
}

// unlead refuses what waits: none of it has reached the log.
func (r *Replica) unlead() {
	r.admitting.Lock()
	defer r.admitting.Unlock()
	r.leading.Store(nil)
	r.queue.set(gateClosed, nil, errNotLeading)
	r.turns.turned()
}

// establish proposes this term's LeaderStart and opens the queue once the state
// machine has applied it: then every earlier entry has been applied too.
func (r *Replica) establish(ctx context.Context) {
	term := r.raft.CurrentTerm()
	if before := r.leading.Load(); before != nil && before.term != term {
		r.unlead()
	}
	r.queue.set(gateGathering, nil, nil)
	var began time.Duration
	for {
		began = r.clock.Boot()
		err := r.proposeStart(ctx, term)
		if errors.Is(err, raft.ErrLeadershipTransferInProgress) {
			// Left over from the term before, or asked for at once.
			select {
			case <-ctx.Done():
				return
			case <-time.After(r.settings.Election / 10):
				continue
			}
		}
		if err != nil {
			// raft has stepped down, and says so next.
			r.logger.Warn("leadership not established", "term", term, "error", err)
			r.unlead()
			return
		}
		break
	}
	if !r.leads(term) || r.machine.View().LeaderTerm() != term {
		r.unlead()
		return
	}
	failpoint.Hit("leader/started", "")
	lead := &leadership{term: term, base: r.machine.View().ClusterTime(), since: r.clock.Boot()}
	lead.prove(began)
	r.leading.Store(lead)
	r.admitWrites(lead)
	r.turns.turned()
	r.logger.Info("leading", "term", term, "index", r.applied.index.Load())
}

func (r *Replica) proposeStart(ctx context.Context, term uint64) error {
	data := command.AppendEntry(nil, command.Entry{
		Term: term, Wall: r.clock.Wall().UnixNano(),
		Commands: [][]byte{command.AppendCommand(nil, command.LeaderStart(term, r.serverID))},
	})
	_, err := await(ctx, r, func() raft.ApplyFuture { return r.raft.Apply(data, 0) })
	return err
}

// leads says whether raft leads in exactly this term.
func (r *Replica) leads(term uint64) bool {
	return r.raft.State() == raft.Leader && r.raft.CurrentTerm() == term
}
