package client

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/rpc/tracing"
)

// route is which nodes can answer a request.
type route uint8

const (
	toLeader route = iota
	toAny
	toPinned
	toHolder // of request.duty
)

// request is one unary call and what may be done when it fails.
type request struct {
	method string
	in     proto.Message
	out    proto.Message
	route  route
	pinned *endpoint // with toPinned
	duty   string    // with toHolder
	// outdated refuses an answer of the node at ep that is not to be used; the request
	// then goes on elsewhere. Nil: every answer is.
	outdated func(ep *endpoint) *candor.Error
	// met, where it is set, gets what the newest attempt that failed met.
	met *atomic.Pointer[candor.Error]
	// class is what a read asks for; empty for any other request.
	class candor.Freshness
	// required is the token that a read's view must cover.
	required candor.Token
	// mayBeStale: its caller accepts BEST_EFFORT instead.
	mayBeStale bool
	// aloof: no session takes part, not even to learn from a refusal.
	aloof bool

	// effect: an attempt that got no answer may have changed the cluster.
	effect bool
	// repeatable: sending it again after such an attempt changes nothing more.
	repeatable bool
	// preconditioned: CONFLICT means a precondition that can never hold again,
	// so it settles what became of earlier attempts.
	preconditioned bool
	// unhurried: without a deadline of the caller's there is none.
	unhurried bool
	// carried: it may go over a stream of calls.
	carried bool
	// subject is what an unknown outcome is about: the request ID, if there is one.
	subject string
	// reshapes: it changes the members, which goes on as a transition once that is
	// planned, whoever hears of it. transition is the one that a server named.
	reshapes   bool
	transition string

	// Of the last attempt: where, when it was sent, and what that endpoint had
	// said of itself then.
	endpoint *endpoint
	sent     time.Time
	before   *position
	span     trace.Span // nil: not traced
	departed bool

	peer    peer.Peer
	options [1]grpc.CallOption
}

// do carries the request out within ctx, or within the client's timeout where
// ctx has no deadline. The error is a *candor.Error.
func (c *Client) do(ctx context.Context, r *request) error {
	if !r.unhurried {
		var cancel context.CancelFunc
		ctx, cancel = c.bounded(ctx)
		defer cancel()
	}
	ctx = c.begin(ctx, r)
	err := c.pursue(ctx, r)
	r.ended(err)
	return err
}

func (c *Client) pursue(ctx context.Context, r *request) error {
	p := pursuit{client: c, request: r}
	ep, err := p.start()
	if err != nil {
		return err
	}
	if _, taken := metadata.FromOutgoingContext(ctx); taken {
		r.carried = false // what its caller adds, a stream does not carry
	}
	ctx = c.outgoing(ctx)
	for {
		if err := p.over(ctx); err != nil {
			return err
		}
		failure := c.attempt(ctx, r, ep)
		if failure == nil {
			ep.answered()
			if r.outdated == nil {
				c.served(ctx, r, ep)
				return nil
			}
			e := r.outdated(ep)
			if e == nil {
				c.served(ctx, r, ep)
				return nil
			}
			ep, err = p.dropped(ctx, ep, e)
		} else {
			ep, err = p.failed(ctx, ep, failure)
		}
		if err != nil {
			return err
		}
	}
}

// served takes note of who answered.
func (c *Client) served(ctx context.Context, r *request, ep *endpoint) {
	if r.route == toHolder {
		c.holders.learn(r.duty, ep)
	}
	if r.route != toPinned {
		c.refresh(ctx, ep)
	}
}

// attempt sends the request once. r.peer and r.departed tell afterwards whether
// anything can have left this process: gRPC fills the one in as soon as there is a
// stream.
func (c *Client) attempt(ctx context.Context, r *request, ep *endpoint) error {
	r.endpoint, r.before, r.sent = ep, ep.served.Load(), time.Now()
	r.tries(ep)
	if !r.effect {
		return c.askAt(ctx, r, ep)
	}
	r.peer.Addr, r.departed = nil, false
	line := ep.line()
	if r.carried {
		if s := line.stream(); s != nil {
			moved, sent, err := s.call(ctx, r, c.attemptTimeout)
			if r.departed = sent; !moved {
				return err
			}
		}
	}
	r.options[0] = grpc.Peer(&r.peer)
	return line.conn.Invoke(ctx, r.method, r.in, r.out, r.options[:]...)
}

// askAt sends a request that only asks. How long a read took that any node could
// have served says how near this one is.
func (c *Client) askAt(ctx context.Context, r *request, ep *endpoint) error {
	if r.class == "" || r.route == toLeader {
		return ep.conn().Invoke(ctx, r.method, r.in, r.out)
	}
	ep.near.busy.Add(1)
	err := ep.conn().Invoke(ctx, r.method, r.in, r.out)
	ep.near.busy.Add(-1)
	if err == nil {
		ep.near.measure(c.clock.elapsed(), time.Since(r.sent))
	}
	return err
}

// left says whether anything of the last attempt may have left this process.
func (r *request) left() bool { return r.departed || r.peer.Addr != nil }

// goesOn says whether a refusal is that of a server that does not see the end of a
// change of the members, and names the transition.
func (r *request) goesOn(e *candor.Error) bool {
	return r.reshapes && isTransition(e.Subject) && (e.Reason == candor.ReasonOutcomeUnknown || e.Reason == candor.ReasonNotLeader)
}

// what the request may do if an attempt gets no answer.
func (r *request) what() effect {
	switch {
	case !r.effect:
		return nothing
	case r.repeatable:
		return repeatable
	default:
		return once
	}
}

// outgoing adds the caller's name to ctx, and the span.
func (c *Client) outgoing(ctx context.Context) context.Context {
	if c.tracer != nil {
		ctx = tracing.Inject(ctx)
	}
	if _, taken := metadata.FromOutgoingContext(ctx); taken {
		pairs := make([]string, 0, 4)
		for key, values := range c.caller {
			pairs = append(pairs, key, values[0])
		}
		return metadata.AppendToOutgoingContext(ctx, pairs...)
	}
	return metadata.NewOutgoingContext(ctx, c.caller)
}

// pin makes the request one for the endpoint at addr alone; empty changes nothing.
func (c *Client) pin(r *request, addr string) error {
	if addr == "" {
		return nil
	}
	ep, err := c.directory.add(addr, pinnedOnly)
	if err != nil {
		return err
	}
	r.route, r.pinned = toPinned, ep
	return nil
}

// bounded gives ctx the client's timeout where it has no deadline.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.timeout)
}

// breach is the error for an answer whose content breaks what was asked; where
// it is the witness, see WitnessError.
func breach(subject, format string, args ...any) *candor.Error {
	e := candor.Errorf(candor.ReasonInvariantViolated, format, args...)
	e.Subject = subject
	return e
}
