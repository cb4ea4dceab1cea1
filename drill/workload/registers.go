package workload

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// registers are entries that clients write, delete and read STRONG, each by itself:
// blindly, or on the condition of what they read.
type registers struct{}

func (*registers) Name() string { return Registers }

func (*registers) Prepare(ctx context.Context, e *Env) error {
	return e.prepare(ctx, Registers, func(h *hand) []*candor.Object { return firsts(h, Registers, e.keys(registerKeys)) }, nil)
}

// firsts are entries with their first values.
func firsts(h *hand, workload string, n int) (out []*candor.Object) {
	for key := range n {
		out = append(out, entry(NamespaceOf(workload), keyName(key), h.fresh()))
	}
	return out
}

func keyName(key int) string { return fmt.Sprintf("key-%d", key) }

const (
	registerClients = 6
	registerKeys    = 5
	registerPause   = 30 * time.Millisecond
)

func (*registers) Run(ctx context.Context, e *Env) error {
	c := crew{env: e}
	keys, pause := e.keys(registerKeys), e.pause(registerPause)
	hands, err := c.several(Registers, e.clients(registerClients))
	if err != nil {
		return err
	}
	for _, h := range hands {
		c.repeats(ctx, h, pause, func(ctx context.Context, h *hand) { access(ctx, h, keyName(h.random.IntN(keys))) })
	}
	return c.done()
}

func (*registers) Finish(ctx context.Context, e *Env) error {
	return e.finish(ctx, Registers, nil, named(e.keys(registerKeys)))
}

// access is one turn of a client: mostly one call.
func access(ctx context.Context, h *hand, key string) {
	ref := entryRef(NamespaceOf(Registers), key)
	switch n := h.random.IntN(100); {
	case n < 24:
		h.update(ctx, ref)
	case n < 40:
		h.compareAndSwap(ctx, ref)
	case n < 46:
		bounded, cancel := writing(ctx)
		defer cancel()
		_, _ = h.caller.Delete(bounded, ref)
	case n < 50:
		h.create(ctx, ref)
	case n < 53:
		h.repeat(ctx, ref)
	case n < 60:
		bounded, cancel := reading(ctx)
		defer cancel()
		_, _ = h.list(bounded, ref.Namespace, history.Ask{}, h.strongly()...)
	default:
		_, _ = h.get(ctx, ref, history.Ask{}, h.strongly()...)
	}
}

// get reads an entry.
func (h *hand) get(ctx context.Context, ref candor.Ref, ask history.Ask, options ...client.ReadOption) (*candor.Object, error) {
	ctx, cancel := reading(ctx)
	defer cancel()
	o, _, err := h.caller.Get(ctx, ref, ask, options...)
	return o, err
}

// update writes whatever was there, and creates what was not.
func (h *hand) update(ctx context.Context, ref candor.Ref) candor.Token {
	bounded, cancel := writing(ctx)
	defer cancel()
	result, err := h.caller.Update(bounded, Kind, entry(ref.Namespace, ref.Name, h.fresh()))
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return h.create(ctx, ref)
	}
	return result.Token
}

func (h *hand) create(ctx context.Context, ref candor.Ref) candor.Token {
	ctx, cancel := writing(ctx)
	defer cancel()
	result, _ := h.caller.Create(ctx, Kind, entry(ref.Namespace, ref.Name, h.fresh()))
	return result.Token
}

func (h *hand) compareAndSwap(ctx context.Context, ref candor.Ref) {
	o, err := h.get(ctx, ref, history.Ask{}, h.strongly()...)
	if err != nil {
		return
	}
	h.ponder(ctx)
	ctx, cancel := writing(ctx)
	defer cancel()
	_, _ = h.swap(ctx, o, entry(ref.Namespace, ref.Name, h.fresh()))
}

// repeatable is for how long the root remembers a write that is sent again.
const repeatable = 10 * time.Second

// repeat sends an acknowledged write again, as a caller would who lost the answer.
func (h *hand) repeat(ctx context.Context, ref candor.Ref) {
	bounded, cancel := reading(ctx)
	defer cancel()
	tenures, err := h.client.Tenures(bounded) // which tell cluster time
	if err != nil {
		return
	}
	id := fmt.Sprintf("%s-%016x", h.name, h.random.Uint64())
	terms := []client.WriteOption{client.WithRequestID(id), client.WithNotAfter(tenures.ClusterTime + repeatable.Nanoseconds())}
	o := entry(ref.Namespace, ref.Name, h.fresh())
	ctx, cancel = writing(ctx)
	defer cancel()
	first, err := h.caller.Update(ctx, Kind, o, terms...)
	if err != nil {
		return
	}
	h.ponder(ctx)
	again, err := h.client.Update(ctx, o, terms...)
	h.env.Recorder.Repeated(h.name, id, history.Key(ref), first.Token, again.Token, err)
}
