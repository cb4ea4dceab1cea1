package client

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
)

// route is which nodes can answer a request.
type route uint8

const (
	toLeader route = iota
	toAny
	toPinned
)

// request is one unary call and what may be done when it fails.
type request struct {
	method string
	in     proto.Message
	out    proto.Message
	route  route
	pinned *endpoint // with toPinned

	// effect: an attempt that got no answer may have changed the cluster.
	effect bool
	// repeatable: sending it again after such an attempt changes nothing more.
	repeatable bool
	// preconditioned: CONFLICT means a precondition that can never hold again,
	// so it settles what became of earlier attempts.
	preconditioned bool
	// subject is what an unknown outcome is about: the request ID, if there is one.
	subject string

	// Of the attempt that succeeded: where, and what that endpoint had said of
	// itself when the attempt was sent.
	endpoint *endpoint
	before   *position

	peer    peer.Peer
	options [1]grpc.CallOption
}

// do carries the request out within ctx, or within the client's timeout where
// ctx has no deadline. The error is a *candor.Error.
func (c *Client) do(ctx context.Context, r *request) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	p := pursuit{client: c, request: r}
	ep, err := p.start()
	if err != nil {
		return err
	}
	ctx = c.outgoing(ctx)
	for {
		if err := p.over(ctx); err != nil {
			return err
		}
		failure := c.attempt(ctx, r, ep)
		if failure == nil {
			r.endpoint = ep
			ep.answered()
			if r.route != toPinned {
				c.refresh(ctx, ep)
			}
			return nil
		}
		if ep, err = p.failed(ctx, ep, failure); err != nil {
			return err
		}
	}
}

// attempt sends the request once. r.peer tells afterwards whether anything can
// have left this process: gRPC fills it in as soon as there is a stream.
func (c *Client) attempt(ctx context.Context, r *request, ep *endpoint) error {
	r.before = ep.served.Load()
	if !r.effect {
		return ep.conn().Invoke(ctx, r.method, r.in, r.out)
	}
	r.peer.Addr = nil
	r.options[0] = grpc.Peer(&r.peer)
	return ep.conn().Invoke(ctx, r.method, r.in, r.out, r.options[:]...)
}

func (r *request) sent() bool { return r.peer.Addr != nil }

// outgoing adds the caller's name to ctx.
func (c *Client) outgoing(ctx context.Context) context.Context {
	if _, taken := metadata.FromOutgoingContext(ctx); taken {
		return metadata.AppendToOutgoingContext(ctx, actorKey, c.actor[actorKey][0])
	}
	return metadata.NewOutgoingContext(ctx, c.actor)
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

// breach is the error for an answer that broke what was asked.
func breach(subject, format string, args ...any) *candor.Error {
	e := candor.Errorf(candor.ReasonInvariantViolated, format, args...)
	e.Subject = subject
	return e
}
