package integration

import (
	"context"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// watcher follows a watch and remembers every event.
type watcher struct {
	name   string
	events []candor.Event
	err    error
	done   chan struct{}
}

// follow watches namespaces from the first revision on, until an event is the
// last that is wanted.
func follow(ctx context.Context, t *testing.T, name string, k *client.Client, o client.WatchOptions, last func(candor.Event) bool) *watcher {
	t.Helper()
	o.Kind, o.AfterRevision, o.Read = candor.KindNamespaces, 1, []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)}
	watch, err := k.Watch(ctx, o)
	if err != nil {
		t.Fatalf("watch %s: %v", name, err)
	}
	w := &watcher{name: name, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		defer watch.Close()
		for len(w.events) == 0 || !last(w.events[len(w.events)-1]) {
			batch, err := watch.Next(ctx)
			if err != nil {
				w.err = err
				return
			}
			w.events = append(w.events, batch.Events...)
		}
	}()
	return w
}

// saw waits for the watch's end and wants it to have seen, of what another saw,
// exactly the events that are its own, each once and in order.
func (w *watcher) saw(t *testing.T, all []candor.Event, own func(candor.Event) bool) {
	t.Helper()
	<-w.done
	if w.err != nil {
		t.Errorf("watcher %s after %d events: %v", w.name, len(w.events), w.err)
		return
	}
	var want []candor.Event
	for _, e := range all {
		if own(e) {
			want = append(want, e)
		}
	}
	for i, e := range want {
		if i >= len(w.events) || w.events[i].Revision != e.Revision || w.events[i].Object.Metadata.Name != e.Object.Metadata.Name {
			t.Errorf("watcher %s: event %d of %d is not %s at %d", w.name, i, len(w.events), e.Object.Metadata.Name, e.Revision)
			return
		}
	}
	if len(w.events) != len(want) {
		t.Errorf("watcher %s saw %d events, want %d", w.name, len(w.events), len(want))
	}
}
