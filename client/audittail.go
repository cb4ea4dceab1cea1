package client

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// AuditQuery chooses lines of a node's audit log. An empty field chooses all.
type AuditQuery struct {
	// Last is how many of the chosen lines before now come first; negative for all.
	Last int
	// Follow goes on with what is written from then on.
	Follow bool
	Actor  string
	// Verdict is ALLOWED, DENIED or FAILED. Lines that say that others are missing
	// come with every choice.
	Verdict string
	// Method is a gRPC method, by its full name or the end of it (Create), or
	// tls-handshake or raft-handshake.
	Method string
	Kind   string
}

// TailAudit gives each the lines of the node's audit log that the query chooses,
// once and in order: JSON objects without a newline. It returns nil after the last
// line, with Follow never: then it goes on until ctx ends, the node stops
// (SHUTTING_DOWN), the right to read the log goes, or each returns an error, which is
// returned as it is. Without a deadline in ctx, the beginning alone has the client's
// timeout. Nothing is resumed: how far it came is in the lines' sequence numbers.
func (n *Node) TailAudit(ctx context.Context, q AuditQuery, each func(line []byte) error) error {
	var r request
	if err := n.pin(&r); err != nil {
		return err
	}
	whole, cancel := context.WithCancel(n.client.outgoing(ctx))
	defer cancel()
	start, began := n.client.bounded(ctx)
	defer began()
	recv, err := n.openTail(whole, start, cancel, &r, q)
	if err != nil {
		return candor.Wrap("audit of "+n.addr, n.tailEnded(start, r.pinned, err))
	}
	for {
		m, err := recv.Recv()
		if errors.Is(err, io.EOF) && !q.Follow {
			return nil
		}
		if err != nil {
			return candor.Wrap("audit of "+n.addr, n.tailEnded(ctx, r.pinned, err))
		}
		if err := each(m.GetLine()); err != nil {
			return err
		}
	}
}

// openTail waits within start for the node to take the request.
func (n *Node) openTail(whole, start context.Context, cancel func(), r *request, q AuditQuery) (grpc.ServerStreamingClient[candorv1.TailAuditResponse], error) {
	stop := context.AfterFunc(start, cancel)
	defer stop()
	recv, err := candorv1.NewNodeServiceClient(r.pinned.conn()).TailAudit(whole, &candorv1.TailAuditRequest{
		Last: int64(q.Last), Follow: q.Follow, Actor: q.Actor, Verdict: q.Verdict, Method: q.Method, Kind: q.Kind,
	})
	if err == nil {
		_, err = recv.Header()
	}
	// A stream that was given up may say that it has no header, and no more.
	if err == nil {
		err = start.Err()
	}
	return recv, err
}

// tailEnded is what the end of the stream means to a caller who waited within ctx.
func (n *Node) tailEnded(ctx context.Context, at *endpoint, failure error) error {
	if e, refused := convert.Refusal(failure); refused {
		return e
	}
	switch {
	case n.client.closed.Load():
		return errClosed()
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &candor.Error{Reason: candor.ReasonTimedOut, Subject: at.addr, Message: "the deadline passed", Err: context.DeadlineExceeded}
	case ctx.Err() != nil:
		return &candor.Error{Reason: candor.ReasonCanceled, Subject: at.addr, Message: "the caller gave up", Err: context.Canceled}
	case errors.Is(failure, io.EOF):
		return &candor.Error{Reason: candor.ReasonUnavailable, Subject: at.addr, Message: "the server ended the stream"}
	default:
		return transportError(at, failure)
	}
}
