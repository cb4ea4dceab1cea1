package integration

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/candor-plane/candor/client"
)

// writers create objects, each with a client of its own, and remember what was
// acknowledged. Objects carry the label writer=wN.
type writers struct {
	stop context.CancelFunc
	wait sync.WaitGroup

	mu    sync.Mutex
	acked map[string]uint64
}

func (c *cluster) write(ctx context.Context, n int) *writers {
	c.t.Helper()
	ctx, stop := context.WithCancel(ctx)
	w := &writers{stop: stop, acked: map[string]uint64{}}
	for id := range n {
		k := c.client()
		w.wait.Go(func() { w.run(ctx, k, fmt.Sprintf("w%d", id)) })
	}
	return w
}

func (w *writers) run(ctx context.Context, k *client.Client, id string) {
	for i := 0; ctx.Err() == nil; i++ {
		o := object(fmt.Sprintf("%s-%d", id, i))
		o.Metadata.Labels = map[string]string{"writer": id}
		if result, err := k.Create(ctx, o); err == nil {
			w.mu.Lock()
			w.acked[o.Metadata.Name] = result.Object.Metadata.ResourceVersion
			w.mu.Unlock()
		}
	}
}

// goOn waits until n more writes were acknowledged.
func (w *writers) goOn(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	want := w.count() + n
	until(ctx, t, fmt.Sprintf("%d more acknowledged writes", n), func() bool { return w.count() >= want })
}

func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// end stops the writers, in the middle of a write, and returns what was
// acknowledged.
func (w *writers) end() map[string]uint64 {
	w.stop()
	w.wait.Wait()
	return maps.Clone(w.acked)
}
