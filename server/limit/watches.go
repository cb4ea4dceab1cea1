package limit

import (
	"fmt"
	"sync/atomic"
	"time"
)

// watches bounds the open watches. They hold no place of a class: they last.
type watches struct {
	max, perIdentity atomic.Int64
	open             atomic.Int64
	refused          [2]atomic.Uint64 // in total, per identity
}

func (w *watches) set(limit, perIdentity int) {
	w.max.Store(int64(limit))
	w.perIdentity.Store(int64(perIdentity))
}

// Watch is that a watch may go on. The zero Watch holds nothing.
type Watch struct {
	identity *identity
	watches  *watches
}

// Watch counts a watch from now until Done, which its owner calls once. It never
// waits. The error has reason QUEUE_SATURATED; one watch that ends makes room.
func (l *Limiter) Watch(who Who) (Watch, error) {
	id, w := l.identity(who), &l.watches
	if !rise(&id.watches, w.perIdentity.Load(), id.peer) {
		defer id.unpin()
		w.refused[1].Add(1)
		return Watch{}, tooMany(id, w.perIdentity.Load(), "of its watches", flagWatchesPerIdentity)
	}
	if !rise(&w.open, w.max.Load(), id.peer) {
		defer id.unpin()
		id.watches.Add(-1)
		w.refused[0].Add(1)
		return Watch{}, tooMany(id, w.max.Load(), "watches", flagWatches)
	}
	return Watch{id, w}, nil
}

// Done ends the watch. It panics if that is one too many.
func (w Watch) Done() {
	if w.identity == nil {
		return
	}
	if w.identity.watches.Add(-1) < 0 {
		panic("limit: a watch was ended twice")
	}
	w.watches.open.Add(-1)
	w.identity.unpin()
}

// rise counts one more unless that is too many.
func rise(n *atomic.Int64, limit int64, free bool) bool {
	for {
		was := n.Load()
		if was >= limit && !free {
			return false
		}
		if n.CompareAndSwap(was, was+1) {
			return true
		}
	}
}

// watchRetry is a guess: nobody knows when a watch ends.
const watchRetry = 5 * time.Second

func tooMany(id *identity, limit int64, what, flag string) error {
	return saturated("watch", id.key, fmt.Sprintf("%d %s are open already", limit, what), flag, watchRetry, nil)
}
