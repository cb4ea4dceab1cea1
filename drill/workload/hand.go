package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// hand is one client of a workload: a session, what it decides by, and its record. It
// belongs to one goroutine.
type hand struct {
	name   string
	env    *Env
	client *client.Client
	caller *history.Caller
	random *rand.Rand
	value  history.Value
	writes int
}

// hand opens a client; value is that of its entries, nil for the one in their label.
func (e *Env) hand(name string, value history.Value, servers ...string) (*hand, error) {
	k, err := e.Client(servers...)
	if err != nil {
		return nil, candor.Wrap("client "+name, err)
	}
	return e.handOf(k, name, value), nil
}

// handOf is that of a client, which it closes when it is done.
func (e *Env) handOf(k *client.Client, name string, value history.Value) *hand {
	if value == nil {
		value = labelled
	}
	return &hand{
		name: name, env: e, client: k, value: value,
		caller: e.Recorder.History().Caller(name, k, value),
		random: rand.New(rand.NewPCG(e.Rand.Uint64(), e.Rand.Uint64())),
	}
}

// fresh is a value that nobody wrote before.
func (h *hand) fresh() string {
	h.writes++
	return fmt.Sprintf("%s.%d.%d", h.name, h.env.epoch, h.writes)
}

// chance is true in so many of a hundred cases.
func (h *hand) chance(percent int) bool { return h.random.IntN(100) < percent }

// somewhere has a read served by one of the servers, whichever that is now.
func (h *hand) somewhere() client.ReadOption {
	servers := h.env.Servers()
	return client.OnEndpoint(h.env.Endpoint(servers[h.random.IntN(len(servers))]))
}

// strongly are the options of a STRONG read: mostly of any server, which asks the
// leader how far it must be, otherwise of the leader.
func (h *hand) strongly() []client.ReadOption {
	if h.chance(40) {
		return nil
	}
	return []client.ReadOption{client.WithFollowerReadIndex(), h.somewhere()}
}

// ponder lets others come between what was read and what is written on its condition,
// one time in three.
func (h *hand) ponder(ctx context.Context) {
	if h.chance(33) {
		rest(ctx, h.random, ponders)
	}
}

// ponders is for how long, about.
const ponders = 20 * time.Millisecond

// list records a list of a namespace, whole.
func (h *hand) list(ctx context.Context, namespace string, ask history.Ask, options ...client.ReadOption) (*client.Page, error) {
	return h.caller.List(ctx, Kind, client.ListOptions{Namespace: namespace, Limit: candor.MaxPageObjects}, ask, options...)
}

// reading and writing bound one call.
func reading(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, readPatience)
}

func writing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, writePatience)
}

// tokens is the newest token that any of a workload's writers was told.
type tokens struct{ newest atomic.Pointer[candor.Token] }

func (t *tokens) told(token candor.Token) {
	for {
		known := t.newest.Load()
		if known != nil && known.Covers(token) || t.newest.CompareAndSwap(known, &token) {
			return
		}
	}
}

func (t *tokens) load() candor.Token {
	if known := t.newest.Load(); known != nil {
		return *known
	}
	return candor.Token{}
}
