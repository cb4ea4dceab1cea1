package workload

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// readers hop from server to server, each with its session, and read in every class of
// freshness, what is newest and what is older; others write meanwhile, and
// they themselves now and then.
type readers struct{ tokens tokens }

func (*readers) Name() string { return Readers }

const (
	readerClients = 4
	readerKeys    = 4
	readerPause   = 25 * time.Millisecond
	// readersWriters write, more slowly.
	readersWriters = 2
	writersRest    = 2
	// deepest is how far back a read of an older state goes, in revisions.
	deepest = 60
)

// bounds of BOUNDED reads; 0 is the default of the protocol.
var bounds = []time.Duration{0, 120 * time.Millisecond, 300 * time.Millisecond, time.Second, 5 * time.Second}

func (*readers) Prepare(ctx context.Context, e *Env) error {
	return e.prepare(ctx, Readers, func(h *hand) []*candor.Object { return firsts(h, Readers, e.keys(readerKeys)) }, nil)
}

func (r *readers) Run(ctx context.Context, e *Env) error {
	c := crew{env: e}
	keys, pause := e.keys(readerKeys), e.pause(readerPause)
	hands, err := c.several(Readers, e.clients(readerClients)+readersWriters)
	if err != nil {
		return err
	}
	for i, h := range hands {
		if i < readersWriters {
			c.repeats(ctx, h, writersRest*pause, func(ctx context.Context, h *hand) {
				r.tokens.told(h.update(ctx, entryRef(NamespaceOf(Readers), keyName(h.random.IntN(keys)))))
			})
			continue
		}
		c.repeats(ctx, h, pause, func(ctx context.Context, h *hand) { r.turn(ctx, h, keyName(h.random.IntN(keys))) })
	}
	return c.done()
}

func (*readers) Finish(ctx context.Context, e *Env) error {
	return e.finish(ctx, Readers, nil, named(e.keys(readerKeys)))
}

func (r *readers) turn(ctx context.Context, h *hand, key string) {
	if h.chance(8) {
		// What it wrote itself it must read everywhere.
		r.tokens.told(h.update(ctx, entryRef(NamespaceOf(Readers), key)))
		return
	}
	ask, options := r.ask(h)
	if h.chance(15) {
		ctx, cancel := reading(ctx)
		defer cancel()
		_, _ = h.list(ctx, NamespaceOf(Readers), ask, options...)
		return
	}
	_, _ = h.get(ctx, entryRef(NamespaceOf(Readers), key), ask, options...)
}

// ask draws a contract and where it is to be kept.
func (r *readers) ask(h *hand) (history.Ask, []client.ReadOption) {
	ask, options := history.Ask{Sessionless: h.chance(30)}, []client.ReadOption{h.somewhere()}
	switch n := h.random.IntN(100); {
	case n < 10:
		ask.Freshness, options = candor.FreshnessStrong, nil
	case n < 30:
		ask.Freshness, options = candor.FreshnessStrong, append(options, client.WithFollowerReadIndex())
	case n < 65:
		ask.Freshness = candor.FreshnessBounded
		if bound := bounds[h.random.IntN(len(bounds))]; bound != 0 {
			ask.MaxStaleness = &bound
		}
		if h.chance(20) {
			lag := uint64(h.random.IntN(100))
			ask.MaxLag = &lag
		}
	default:
		ask.Freshness = candor.FreshnessBestEffort
	}
	newest := r.tokens.load()
	switch {
	case newest.IsZero():
	case h.chance(20):
		// What another was told, whatever this session knows.
		ask.Required = newest
	case h.chance(10) && newest.Revision > deepest:
		ask.AtRevision = newest.Revision - uint64(h.random.IntN(deepest))
	}
	return ask, options
}
