package client

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// CatchUpChange is one step of a node's view towards the root, or away from it.
type CatchUpChange struct {
	At time.Time `json:"at,omitzero"`
	// TokenBefore and TokenAfter are of the view; equal where it did not move.
	TokenBefore candor.Token         `json:"tokenBefore"`
	TokenAfter  candor.Token         `json:"tokenAfter"`
	CatchUp     candor.CatchUpState  `json:"catchUpState,omitempty"`
	Action      candor.CatchUpAction `json:"catchUpAction,omitempty"`
	Mode        candor.DegradedMode  `json:"degradedMode,omitempty"`
	// DegradedReason is the word of the mode.
	DegradedReason string `json:"degradedReason,omitempty"`
}

// CatchUpWatch tells one node's catch-up states. It ends with its stream: it is
// about that node, and no other can go on with it. Next may be called by one
// goroutine at a time; Close by any.
type CatchUpWatch struct {
	client *Client
	at     *endpoint
	ctx    context.Context //nolint:containedctx // a watch is one long call, and this is it
	cancel context.CancelFunc
	recv   grpc.ServerStreamingClient[candorv1.WatchCatchUpResponse]

	mu    sync.Mutex // held by Next
	first *CatchUpChange
	dead  error
}

// WatchCatchUp begins with the state that the node is in and goes on with every
// change, until ctx is done. Call Close when done with it. Without a deadline in
// ctx, the beginning alone has the client's timeout.
func (d *Diagnostics) WatchCatchUp(ctx context.Context) (*CatchUpWatch, error) {
	w, err := d.watchCatchUp(ctx)
	return w, candor.Wrap("catch-up of "+d.addr, err)
}

func (d *Diagnostics) watchCatchUp(ctx context.Context) (*CatchUpWatch, error) {
	var r request
	if err := d.pin(&r); err != nil {
		return nil, err
	}
	w := &CatchUpWatch{client: d.client, at: r.pinned}
	w.ctx, w.cancel = context.WithCancel(d.client.outgoing(ctx))
	start, cancel := d.client.bounded(ctx)
	defer cancel()
	stop := context.AfterFunc(start, w.cancel)
	defer stop()
	var err error
	w.recv, err = candorv1.NewDiagnosticsServiceClient(w.at.conn()).WatchCatchUp(w.ctx, &candorv1.WatchCatchUpRequest{})
	if err == nil {
		w.first, err = w.receive()
	}
	if err != nil {
		err = w.failed(start, err)
		w.cancel()
		return nil, err
	}
	return w, nil
}

// Next returns the next state; the first is the one that the node was in. Any
// error ends the watch, the end of ctx included, and is returned again from then
// on.
func (w *CatchUpWatch) Next(ctx context.Context) (CatchUpChange, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead != nil {
		return CatchUpChange{}, w.dead
	}
	if first := w.first; first != nil {
		w.first = nil
		return *first, nil
	}
	stop := context.AfterFunc(ctx, w.cancel)
	defer stop()
	change, err := w.receive()
	if err != nil {
		w.dead = candor.Wrap("catch-up of "+w.at.addr, w.failed(ctx, err))
		w.cancel()
		return CatchUpChange{}, w.dead
	}
	return *change, nil
}

// Close ends the watch and waits for a Next that is under way.
func (w *CatchUpWatch) Close() error {
	w.cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead == nil {
		w.dead = candor.Errorf(candor.ReasonCanceled, "the watch is closed")
	}
	return nil
}

func (w *CatchUpWatch) receive() (*CatchUpChange, error) {
	m, err := w.recv.Recv()
	if err != nil {
		return nil, err
	}
	c := &CatchUpChange{
		TokenBefore: convert.TokenFromProto(m.GetTokenBefore()), TokenAfter: convert.TokenFromProto(m.GetTokenAfter()),
		CatchUp: convert.CatchUpStateFromProto(m.GetState()), Action: convert.CatchUpActionFromProto(m.GetAction()),
		Mode: convert.DegradedModeFromProto(m.GetDegradedMode()), DegradedReason: m.GetReason(),
	}
	if at := m.GetAt(); at != nil {
		c.At = at.AsTime()
	}
	return c, nil
}

// late says that the deadline passed: here, or at the server a moment sooner.
func late(ctx context.Context, failure error) bool {
	_, bounded := ctx.Deadline()
	return errors.Is(ctx.Err(), context.DeadlineExceeded) || bounded && status.Code(failure) == codes.DeadlineExceeded
}

// failed is what the end of the stream means to a caller who waited within ctx.
func (w *CatchUpWatch) failed(ctx context.Context, failure error) error {
	if e, refused := convert.Refusal(failure); refused {
		return e
	}
	switch {
	case w.client.closed.Load():
		return errClosed()
	case late(ctx, failure) || late(w.ctx, failure):
		return &candor.Error{Reason: candor.ReasonTimedOut, Subject: w.at.addr, Message: "the deadline passed", Err: context.DeadlineExceeded}
	case w.ctx.Err() != nil:
		return &candor.Error{Reason: candor.ReasonCanceled, Subject: w.at.addr, Message: "the watch was given up", Err: context.Canceled}
	case errors.Is(failure, io.EOF):
		return &candor.Error{Reason: candor.ReasonUnavailable, Subject: w.at.addr, Message: "the server ended the stream"}
	default:
		return transportError(w.at, failure)
	}
}
