package servertest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// writers create objects, each its own, until they are told to stop, and keep
// what was acknowledged.
type writers struct {
	stop context.CancelFunc
	wait sync.WaitGroup

	mu sync.Mutex
	// acked is the revision that each acknowledged object was created at.
	acked map[string]uint64
	// unknown are those of which nobody knows.
	unknown map[string]bool
	refused []error
	// latest is when the last acknowledgement came, and gap the longest wait for
	// one.
	latest time.Time
	gap    time.Duration
	// patience bounds each write.
	patience time.Duration
}

// startWriters starts n, with a pause between their writes: virtual time stands
// still while anyone works.
func startWriters(t testing.TB, c *servertest.Cluster, n int, pause, patience time.Duration) *writers {
	ctx, cancel := context.WithCancel(t.Context())
	w := &writers{stop: cancel, acked: map[string]uint64{}, unknown: map[string]bool{}, latest: time.Now(), patience: patience}
	for i := range n {
		k := c.Client(t)
		w.wait.Go(func() {
			for j := 0; ctx.Err() == nil; j++ {
				w.write(k, fmt.Sprintf("w%d-%d", i, j))
				time.Sleep(pause)
			}
		})
	}
	return w
}

func (w *writers) write(k *client.Client, name string) {
	ctx, cancel := within(w.patience)
	defer cancel()
	result, err := k.Create(ctx, namespace(name))
	w.mu.Lock()
	defer w.mu.Unlock()
	switch candor.ReasonOf(err) {
	case "":
		w.acked[name] = result.Object.Metadata.CreateRevision
		w.gap = max(w.gap, time.Since(w.latest))
		w.latest = time.Now()
	case candor.ReasonOutcomeUnknown:
		w.unknown[name] = true
	default:
		w.refused = append(w.refused, err)
	}
}

func (w *writers) end() {
	w.stop()
	w.wait.Wait()
}

// count is how many writes were acknowledged so far.
func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// wantAllKept fails unless every acknowledged object is there, once, as it was
// created, and none that was refused; on every server.
func (w *writers) wantAllKept(t testing.TB, c *servertest.Cluster) {
	t.Helper()
	wantEqualStates(t, c)
	view := c.Leader().Machine().View()
	taken := map[uint64]string{}
	for name, revision := range w.acked {
		if other := taken[revision]; other != "" {
			t.Errorf("%s and %s were both acknowledged at revision %d", name, other, revision)
		}
		taken[revision] = name
		v, err := view.Get(refOf(name), 0)
		if err != nil || v == nil || v.Revision != revision || v.Prev() != nil {
			t.Errorf("%s was acknowledged at %d and is now %+v, %v", name, revision, v, err)
		}
		if turn := view.Turn(revision); turn == nil || turn.Key != "/"+name || turn.Sibling() != nil {
			t.Errorf("the turn of revision %d is not that of %s", revision, name)
		}
	}
	known := uint64(1) // the default namespace
	for name := range w.unknown {
		if v, _ := view.Get(refOf(name), 0); v != nil {
			known++
		}
	}
	if live := view.Live(candor.KindNamespaces); live != known+uint64(len(w.acked)) {
		t.Errorf("%d objects live; %d were acknowledged and %d more found", live, len(w.acked), known)
	}
}

// keepWriting has a few clients update objects of their own, and what is
// acknowledged noted, until the returned function is called.
func keepWriting(t testing.TB, c *servertest.Cluster, known *ledger, clients int, pause time.Duration, endpoints ...string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for i := range clients {
		k := c.Client(t, endpoints...)
		name := fmt.Sprintf("busy-%d", i)
		known.acknowledged(mustCreate(t, k, name).Token)
		wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				o := namespace(name)
				o.Metadata.Labels = map[string]string{"n": fmt.Sprint(n)}
				bounded, end := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
				result, err := k.Update(bounded, o)
				end()
				if err == nil {
					known.acknowledged(result.Token)
				}
				time.Sleep(pause)
			}
		})
	}
	return func() {
		cancel()
		wait.Wait()
	}
}
