package workload

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

// watchers follow entries that others write: all of them, one, or those of a lane, which
// entries enter and leave; from now on, from a list, or from an older revision. They
// hop from server to server and go on where they were.
type watchers struct{}

func (*watchers) Name() string { return Watchers }

const (
	watcherClients = 6
	watcherKeys    = 6
	watcherPause   = 40 * time.Millisecond
	// watchersWriters write.
	watchersWriters = 2
	// stays is for how long a watcher stays with one stream of one server, about, and
	// staysFree with one that may move; follows how many streams it takes one after
	// another before it begins anew.
	stays     = 1500 * time.Millisecond
	staysFree = 4 * time.Second
	follows   = 4
	// refusedRest is the pause after a refusal.
	refusedRest = 50 * time.Millisecond

	laneLabel = "lane"
)

var lanes = []string{"left", "right"}

func (*watchers) Prepare(ctx context.Context, e *Env) error {
	return e.prepare(ctx, Watchers, func(h *hand) (out []*candor.Object) {
		for key := range e.keys(watcherKeys) {
			out = append(out, h.laned(keyName(key)))
		}
		return out
	}, nil)
}

func (*watchers) Run(ctx context.Context, e *Env) error {
	c := crew{env: e}
	keys, pause := e.keys(watcherKeys), e.pause(watcherPause)
	hands, err := c.several(Watchers, e.clients(watcherClients)+watchersWriters)
	if err != nil {
		return err
	}
	for i, h := range hands {
		if i < watchersWriters {
			c.repeats(ctx, h, pause, func(ctx context.Context, h *hand) { changeLane(ctx, h, keyName(h.random.IntN(keys))) })
			continue
		}
		c.wait.Go(func() {
			for ctx.Err() == nil {
				begin(h, keys).run(ctx)
			}
		})
	}
	return c.done()
}

func (*watchers) Finish(ctx context.Context, e *Env) error {
	return e.finish(ctx, Watchers, nil, named(e.keys(watcherKeys)))
}

// laned is an entry in one of the lanes.
func (h *hand) laned(name string) *candor.Object {
	o := entry(NamespaceOf(Watchers), name, h.fresh())
	o.Metadata.Labels[laneLabel] = lanes[h.random.IntN(len(lanes))]
	return o
}

// changeLane is a write: mostly of a version, now and then an end or a beginning, or
// two entries in one turn.
func changeLane(ctx context.Context, h *hand, name string) {
	ctx, cancel := writing(ctx)
	defer cancel()
	ref := entryRef(NamespaceOf(Watchers), name)
	switch n := h.random.IntN(100); {
	case n < 12:
		_, _ = h.caller.Delete(ctx, ref)
	case n < 24:
		_, _ = h.caller.Create(ctx, Kind, h.laned(name))
	case n < 40:
		changeBoth(ctx, h, ref)
	default:
		if _, err := h.caller.Update(ctx, Kind, h.laned(name)); candor.ReasonOf(err) == candor.ReasonNotFound {
			_, _ = h.caller.Create(ctx, Kind, h.laned(name))
		}
	}
}

// changeBoth changes an entry and another in one turn, so that watches have turns of
// several events.
func changeBoth(ctx context.Context, h *hand, ref candor.Ref) {
	page, err := h.list(ctx, ref.Namespace, history.Ask{})
	if err != nil || len(page.Objects) < 2 {
		return
	}
	t := h.transaction()
	for _, i := range h.random.Perm(len(page.Objects))[:2] {
		t.update(page.Objects[i], h.laned(page.Objects[i].Metadata.Name))
	}
	t.commit(ctx)
}

// watcher is one watch over several streams.
type watcher struct {
	*hand
	options client.WatchOptions
	// before is the stream that the next one goes on with; nil at first.
	before *evidence.Watch
}

// begin draws what is watched.
func begin(h *hand, keys int) *watcher {
	w := &watcher{hand: h, options: client.WatchOptions{Kind: Kind, Namespace: NamespaceOf(Watchers), WithPrevious: h.chance(50)}}
	switch n := h.random.IntN(100); {
	case n < 35:
		w.options.Selector = fmt.Sprintf("%s=%s", laneLabel, lanes[h.random.IntN(len(lanes))])
	case n < 50:
		w.options.Name = keyName(h.random.IntN(keys))
	default: // all of the namespace
	}
	return w
}

// run follows the watch over its streams, each at another server.
func (w *watcher) run(ctx context.Context) {
	if !w.findStart(ctx) {
		passes(ctx, refusedRest)
		return
	}
	for range follows {
		if w.chance(30) {
			w.remember(ctx)
		}
		if ctx.Err() != nil || !w.stream(ctx) {
			passes(ctx, refusedRest)
			return
		}
	}
}

// findStart chooses the revision to begin after: none, that of a list, or an older one.
func (w *watcher) findStart(ctx context.Context) bool {
	if w.chance(30) {
		return true
	}
	bounded, cancel := reading(ctx)
	defer cancel()
	page, err := w.list(bounded, w.options.Namespace, history.Ask{Asked: history.Asked{Freshness: candor.FreshnessBestEffort}}, w.somewhere())
	if err != nil {
		return false
	}
	w.options.AfterRevision = page.Revision
	if w.chance(30) && page.Revision > deepest {
		w.options.AfterRevision -= uint64(w.random.IntN(deepest))
	}
	return true
}

// remember asks for what was long ago, which is sent from its beginning or refused, and
// stays for no more than the first of it.
func (w *watcher) remember(ctx context.Context) {
	if w.options.AfterRevision == 0 {
		return
	}
	ctx, cancel := reading(ctx)
	defer cancel()
	o := w.options
	o.AfterRevision = 1 + w.random.Uint64N(w.options.AfterRevision)
	o.Read = []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort), w.somewhere()}
	record := w.env.Recorder.Watch(w.name, o, w.value, nil)
	watch, err := w.client.Watch(ctx, o)
	if err == nil {
		var batch client.WatchBatch
		if batch, err = watch.Next(ctx); err == nil {
			record.Batch(batch)
			err = candor.Errorf(candor.ReasonCanceled, "its first batch is enough")
		}
		_ = watch.Close() // it is not to go on
	}
	record.Ended(err)
}

// stream follows one stream for a while; false where the watch cannot go on from where
// it is. Some streams are free to go on elsewhere when their server ends or
// proves nothing any more, the others end with it.
func (w *watcher) stream(ctx context.Context) bool {
	stay := w.place()
	ctx, cancel := context.WithTimeout(ctx, stay/2+time.Duration(w.random.Int64N(int64(stay))))
	defer cancel()
	record := w.env.Recorder.Watch(w.name, w.options, w.value, w.before)
	watch, err := w.client.Watch(ctx, w.options)
	if err != nil {
		// Another server may know better.
		record.Ended(err)
		return candor.ReasonOf(err) != candor.ReasonCompacted && passes(ctx, refusedRest)
	}
	for err == nil {
		var batch client.WatchBatch
		if batch, err = watch.Next(ctx); err == nil {
			record.Batch(batch)
		}
	}
	record.Ended(err)
	w.options.AfterRevision, w.before = watch.Revision(), record
	_ = watch.Close() // it has ended, and says what it ended with
	return w.options.AfterRevision != 0 && candor.ReasonOf(err) != candor.ReasonCompacted
}

// place draws by which contract the next stream is served, and where, and for how long:
// STRONG ones are the leader's, whoever that is.
func (w *watcher) place() (stay time.Duration) {
	switch n := w.random.IntN(100); {
	case n < 20:
		w.options.Read = nil
		return staysFree
	case n < 40:
		w.options.Read = []client.ReadOption{client.WithFreshness(candor.FreshnessBounded), client.WithMaxStaleness(5 * time.Second)}
	default:
		w.options.Read = []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)}
	}
	if w.chance(40) {
		return staysFree
	}
	w.options.Read = append(w.options.Read, w.somewhere())
	return stays
}
