package replica

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// background is the replica's work that outlives the call that began it, until
// it is shut.
type background struct {
	mu   sync.Mutex
	shut bool
	work sync.WaitGroup
}

// start runs work in a goroutine; false means that it is too late for that.
func (b *background) start(work func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut {
		return false
	}
	b.work.Go(func() {
		work()
	})
	return true
}

// close lets nothing more begin and waits for what has.
func (b *background) close(limit time.Duration) bool {
	b.mu.Lock()
	b.shut = true
	b.mu.Unlock()
	return waitAtMost(&b.work, limit)
}

// await asks raft something and waits for the answer, no longer than the
// context lasts: after that a background goroutine does, since raft has no
// other way to be asked.
func await[F raft.Future](ctx context.Context, r *Replica, ask func() F) (F, error) {
	var future F
	done := make(chan error, 1)
	started := r.background.start(func() {
		future = ask()
		done <- future.Error()
	})
	if !started {
		return future, errStopping
	}
	select {
	case err := <-done:
		return future, err
	case <-ctx.Done():
		var none F
		return none, candor.Errorf(candor.ReasonOutcomeUnknown, "%s before this server knew the outcome", cause(ctx))
	}
}

// waitAtMost is for goroutines that wait for raft's answers. When raft stops,
// what lies between its stages then is never answered, and the goroutine lost.
func waitAtMost(group *sync.WaitGroup, limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
