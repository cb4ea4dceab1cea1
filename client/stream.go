package client

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// stream is one stream of a watch, to one endpoint.
type stream struct {
	from   watchReceiver
	cancel context.CancelFunc
	// impatience cancels the stream unless its first message stops it.
	impatience *time.Timer
	// before is the last that this stream said of its node. Other calls may
	// know more: their answers overtake what is in this stream's buffers.
	before  *position
	greeted bool
	givenUp bool // canceled by the end of a Next's context
}

// next delivers the next batch; the error has ended the watch unless it is
// ctx's own.
func (w *Watch) next(ctx context.Context) (WatchBatch, error) {
	for {
		if w.dead != nil {
			return WatchBatch{}, w.dead
		}
		if err := w.over(ctx); err != nil {
			return WatchBatch{}, err
		}
		message, shared, err := w.receive(ctx)
		if err != nil {
			if err := w.resume(ctx, err); err != nil {
				return WatchBatch{}, err
			}
			continue
		}
		// A node that only greets, and refuses then, is no end to the search: the next one
		// may do the same, and pauses are due.
		if message.GetType() != candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_STARTED {
			w.pursuit.hops, w.pursuit.pause, w.pursuit.attempts, w.pursuit.last, w.pursuit.told = 0, 0, 0, nil, nil
		}
		batch, err := w.take(message, shared)
		if err != nil {
			w.end(err)
			return WatchBatch{}, err
		}
		return batch, nil
	}
}

// over is the error for a watch whose contexts or client are done. Only ctx's
// end leaves it alive.
func (w *Watch) over(ctx context.Context) error {
	switch {
	case w.client.closed.Load():
		w.end(errClosed())
		return w.dead
	case w.ctx.Err() != nil:
		w.end(w.pursuit.gaveUp(w.ctx.Err()))
		return w.dead
	case ctx.Err() != nil:
		return w.pursuit.gaveUp(ctx.Err())
	default:
		return nil
	}
}

// receive reads one message, over a new stream if none is open. If ctx ends
// first the stream is given up: what it held is sent again by the next one.
func (w *Watch) receive(ctx context.Context) (m *candorv1.WatchResponse, shared bool, err error) {
	if w.stream != nil && w.stream.givenUp {
		w.drop()
	}
	if w.stream == nil {
		if err := w.open(); err != nil {
			return nil, false, err
		}
	}
	s := w.stream
	if done := ctx.Done(); done != nil && done != w.parent.Done() {
		stop := context.AfterFunc(ctx, s.cancel)
		defer func() { s.givenUp = !stop() }()
	}
	if m, shared, err = s.from.receive(); err != nil {
		return nil, false, err
	}
	s.impatience.Stop()
	return m, shared, nil
}

func (w *Watch) open() error {
	var err error
	if w.in.Read.RequiredRootToken, err = w.terms.require(w.sess); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(w.client.outgoing(w.ctx))
	s := &stream{cancel: cancel, before: w.at.served.Load()}
	s.impatience = time.AfterFunc(w.client.attemptTimeout, cancel)
	w.in.AfterRevision = w.position
	w.pursuit.request.tries(w.at)
	_, own := metadata.FromOutgoingContext(w.ctx) // what its caller adds, a stream does not carry
	s.from, err = w.at.line().watches.watch(ctx, w.in, own)
	if err != nil {
		s.impatience.Stop()
		cancel()
		return err
	}
	w.stream = s
	return nil
}

// resume takes note of why a stream ended and chooses where the next one goes.
func (w *Watch) resume(ctx context.Context, failure error) error {
	silent := w.stream == nil || !w.stream.greeted
	w.drop()
	if err := w.over(ctx); err != nil {
		return err
	}
	if errors.Is(failure, io.EOF) {
		failure = status.Error(codes.Unavailable, "the server ended the stream")
	}
	if silent && status.Code(failure) == codes.Canceled {
		failure = status.Error(codes.DeadlineExceeded, "the stream did not start in time")
	}
	both, cancel := context.WithCancel(w.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	at, err := w.pursuit.failed(both, w.at, failure)
	if err != nil {
		if err := w.over(ctx); err != nil {
			return err
		}
		w.end(err)
		return err
	}
	w.at = at
	return nil
}

// take checks a message and turns it into a batch.
func (w *Watch) take(m *candorv1.WatchResponse, shared bool) (WatchBatch, error) {
	switch m.GetType() {
	case candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_STARTED:
		return w.takeStart(m)
	case candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_BOOKMARK:
		return w.takeBookmark(m)
	case candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_EVENTS:
		return w.takeEvents(m, shared)
	default:
		return WatchBatch{}, breach(w.at.addr, "endpoint %s sent a watch message of unknown type %d", w.at.addr, m.GetType())
	}
}

// takeStart: a stream that resumes stands where the one before ended, whatever
// revision its node has reached by now.
func (w *Watch) takeStart(m *candorv1.WatchResponse) (WatchBatch, error) {
	w.stream.greeted = true
	witness, err := w.witness(m)
	if err != nil {
		return WatchBatch{}, err
	}
	if w.started && w.position == 0 && m.GetRevision() != 0 {
		return WatchBatch{}, candor.Errorf(candor.ReasonCompacted,
			"the watch began before the first revision and was interrupted there; list and watch again")
	}
	if !w.started {
		w.started, w.position = true, m.GetRevision()
	}
	return WatchBatch{Revision: w.position, Bookmark: true, Witness: witness}, nil
}

func (w *Watch) takeBookmark(m *candorv1.WatchResponse) (WatchBatch, error) {
	witness, err := w.witness(m)
	if err != nil {
		return WatchBatch{}, err
	}
	if !w.stream.greeted || m.GetRevision() < w.position {
		return WatchBatch{}, w.disorder(m)
	}
	w.position = m.GetRevision()
	w.moveIfDegraded(witness)
	return WatchBatch{Revision: w.position, Bookmark: true, Witness: witness}, nil
}

// moveIfDegraded leaves a node that announced a condition in which its view may
// stand still, if another one is known to be better: the next message comes from
// there, after the last revision delivered.
func (w *Watch) moveIfDegraded(witness *candor.Witness) {
	if w.pursuit.request.route != toAny || !leaves(witness.Mode, witness.CatchUp) {
		return
	}
	if to := w.client.directory.better(w.at); to != nil {
		w.drop()
		w.at = to
	}
}

func (w *Watch) takeEvents(m *candorv1.WatchResponse, shared bool) (WatchBatch, error) {
	if !w.stream.greeted || len(m.GetEvents()) == 0 {
		return WatchBatch{}, w.disorder(m)
	}
	batch := WatchBatch{Revision: m.GetRevision(), Events: make([]candor.Event, len(m.GetEvents()))}
	last := w.position
	for i, p := range m.GetEvents() {
		if shared {
			p = w.own.of(p)
		}
		e := convert.EventFromProto(p)
		if e.Revision <= w.position || e.Revision < last || e.Revision > batch.Revision || e.Object == nil {
			return WatchBatch{}, w.disorder(m)
		}
		last = e.Revision
		batch.Events[i] = e
	}
	if m.GetWitness() != nil {
		var err error
		if batch.Witness, err = w.witness(m); err != nil {
			return WatchBatch{}, err
		}
	}
	w.position = batch.Revision
	return batch, nil
}

// witness is the checked witness of a message.
func (w *Watch) witness(m *candorv1.WatchResponse) (*candor.Witness, error) {
	witness := convert.WitnessFromProto(m.GetWitness())
	r := request{endpoint: w.at, before: w.stream.before}
	s := scrutiny{query: &w.terms.query, session: w.sess, duty: w.terms.duty}
	if announces(m, witness) {
		s.query = nil
	}
	if err := w.client.examine(&r, s, witness); err != nil {
		return nil, err
	}
	w.stream.before = &position{nodeID: witness.NodeID, bootID: witness.BootID, token: witness.ServedToken}
	w.newest.Store(witness)
	return witness, nil
}

// announces: the message tells of the node's condition alone. Its witness names
// no class, so it promises none.
func announces(m *candorv1.WatchResponse, w *candor.Witness) bool {
	return m.GetType() == candorv1.WatchResponseType_WATCH_RESPONSE_TYPE_BOOKMARK && w != nil &&
		w.Mode != "" && w.Served == "" && w.Class == "" && w.Mechanism == ""
}

// disorder is the error for a stream that breaks the order of revisions.
func (w *Watch) disorder(m *candorv1.WatchResponse) error {
	return breach(w.at.addr, "endpoint %s sent %s for revision %d with %d events after revision %d, out of order",
		w.at.addr, m.GetType(), m.GetRevision(), len(m.GetEvents()), w.position)
}
