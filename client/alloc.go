package client

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// The most numbers that one call takes.
const (
	MaxIDs        = 1 << 20
	MaxTimestamps = 1 << 18
)

// Numbers are Count numbers in a row, from First, that nobody else has. They were
// taken under Era of their duty.
type Numbers struct {
	First uint64 `json:"first,string"`
	Count uint64 `json:"count"`
	Era   uint64 `json:"era"`
}

// Last is the highest of them.
func (n Numbers) Last() uint64 { return n.First + n.Count - 1 }

// AllocIDs takes n IDs, each handed out once in the life of the cluster. IDs of a call
// that fails, or is given up, may be lost; they go to nobody else.
//
// The holder of the duty ids answers: the client finds it and stays with it until it is
// refused there. While nobody holds the duty it waits, to the end of ctx
// (SCHEDULER_DEGRADED then). Concurrent calls for one ID share requests.
func (c *Client) AllocIDs(ctx context.Context, n uint64) (Numbers, error) {
	out, err := c.ids.take(ctx, n)
	return out, candor.Wrap("allocate IDs", err)
}

// Timestamps takes n timestamps: above every one that was handed out, by anyone,
// before the call began. One that is not above those that this client had seen then is
// an error, INVARIANT_VIOLATED. Otherwise it is as AllocIDs, for the duty tso.
//
// A timestamp is milliseconds of cluster time, times 2^18, and a count within them.
func (c *Client) Timestamps(ctx context.Context, n uint64) (Numbers, error) {
	out, err := c.tso.take(ctx, n)
	return out, candor.Wrap("allocate timestamps", err)
}

// dispenser is where numbers of one duty come from. Its calls may be concurrent.
type dispenser struct {
	client       *Client
	duty, method string
	most         uint64
	request      func(n uint64) proto.Message
	answer       func() allocated
	// rising: a call's numbers are above those of every call before it.
	rising bool
	// seen is the highest number that was taken.
	seen atomic.Uint64
	line line
}

// allocated is the answer of either service.
type allocated interface {
	proto.Message
	GetFirst() uint64
	GetCount() uint64
	GetEra() uint64
}

func newDispensers(c *Client) (ids, tso *dispenser) {
	ids = &dispenser{
		client: c, duty: "ids", method: candorv1.AllocService_AllocIDs_FullMethodName, most: MaxIDs,
		request: func(n uint64) proto.Message { return &candorv1.AllocIDsRequest{Count: n} },
		answer:  func() allocated { return new(candorv1.AllocIDsResponse) },
	}
	tso = &dispenser{
		client: c, duty: "tso", method: candorv1.AllocService_AllocTimestamps_FullMethodName, most: MaxTimestamps, rising: true,
		request: func(n uint64) proto.Message { return &candorv1.AllocTimestampsRequest{Count: n} },
		answer:  func() allocated { return new(candorv1.AllocTimestampsResponse) },
	}
	return ids, tso
}

func (d *dispenser) take(ctx context.Context, n uint64) (Numbers, error) {
	if n == 0 || n > d.most {
		return Numbers{}, candor.Errorf(candor.ReasonInvalid, "%d numbers of duty %s: want 1 to %d", n, d.duty, d.most)
	}
	ctx, cancel := d.client.bounded(ctx)
	defer cancel()
	if n == 1 && mayShare(ctx) {
		return d.one(ctx)
	}
	return d.ask(ctx, n, nil)
}

// ask has the holder hand out n numbers. An answer of an era that is over is dropped,
// and another node asked. met, where it is given, gets what a failed attempt met.
func (d *dispenser) ask(ctx context.Context, n uint64, met *atomic.Pointer[candor.Error]) (Numbers, error) {
	seen := d.seen.Load()
	out := d.answer()
	r := request{method: d.method, in: d.request(n), out: out, route: toHolder, duty: d.duty, aloof: true, met: met}
	r.outdated = func(ep *endpoint) *candor.Error { return d.outdated(ep, out) }
	if err := d.client.do(ctx, &r); err != nil {
		return Numbers{}, err
	}
	got := Numbers{First: out.GetFirst(), Count: out.GetCount(), Era: out.GetEra()}
	switch {
	case got.Count != n || got.First == 0 || got.First > math.MaxUint64-(n-1):
		return Numbers{}, breach(d.duty, "endpoint %s answered %d numbers from %d on: want %d, from 1 on", r.endpoint.addr, got.Count, got.First, n)
	case d.rising && got.First <= seen:
		return Numbers{}, breach(d.duty, "endpoint %s answered %d under era %d of duty %s: want above %d, which this client had seen before it asked",
			r.endpoint.addr, got.First, got.Era, d.duty, seen)
	}
	raise(&d.seen, got.Last())
	return got, nil
}

// outdated holds an answer's era against the highest that was seen: a later holder has
// begun where this one was sealed, and goes by what it handed out until then.
func (d *dispenser) outdated(ep *endpoint, out allocated) *candor.Error {
	era := out.GetEra()
	if era == 0 {
		return d.stale(ep, "under no era")
	}
	if floor, ok := d.client.session.raiseEra(d.duty, era); !ok {
		return d.stale(ep, fmt.Sprintf("under era %d, which was over: era %d has answered", era, floor))
	}
	return nil
}

func (d *dispenser) stale(ep *endpoint, how string) *candor.Error {
	e := candor.Errorf(candor.ReasonEraStale, "endpoint %s answered for duty %s %s", ep.addr, d.duty, how)
	e.Subject = d.duty
	return e
}

func raise(to *atomic.Uint64, n uint64) {
	for {
		was := to.Load()
		if was >= n || to.CompareAndSwap(was, n) {
			return
		}
	}
}
