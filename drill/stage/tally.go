package stage

import (
	"context"
	"sync"
	"time"
)

// tally counts each name once.
type tally struct {
	mu    sync.Mutex
	names map[string]bool
}

func newTally() *tally { return &tally{names: map[string]bool{}} }

func (t *tally) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names[name] = true
}

func (t *tally) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.names)
}

// repeatedly does something every so often until end is called, which waits for it, or
// the stage is closed.
func (s *Stage) repeatedly(every time.Duration, do func(ctx context.Context)) (end func()) {
	ctx, stop := context.WithCancel(s.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, every) {
			do(ctx)
		}
	}()
	return func() {
		stop()
		<-done
	}
}
