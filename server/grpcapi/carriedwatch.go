package grpcapi

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
)

// carriedWatch is one watch that came over a stream, and the stream of its own that
// its handler sees.
type carriedWatch struct {
	of      *watchStream
	id      uint64
	request []byte
	ctx     context.Context //nolint:containedctx // it is the watch's
	cancel  context.CancelFunc
	// pushed: a pump delivers, and wakes the stream when it has gone through its watches.
	// It is the pump's while the watch is, see seat.
	pushed bool
	// room gets a value when the watch may have come to send again.
	room chan struct{}

	// Guarded by the stream's lock.
	credit, unsent int
	newest         uint64
}

var _ grpc.ServerStream = (*carriedWatch)(nil)

func newCarriedWatch(s *watchStream, opening *candorv1.WatchOpening) *carriedWatch {
	w := &carriedWatch{of: s, id: opening.GetId(), request: opening.GetRequest(), room: make(chan struct{}, 1)}
	w.ctx, w.cancel = context.WithCancel(context.WithValue(traced(s.ctx, opening), carriedKey{}, w))
	w.grant(opening.GetCredit())
	return w
}

type carriedKey struct{}

// carriedIn is the watch over a stream whose context it is; nil for one by itself.
func carriedIn(ctx context.Context) *carriedWatch {
	w, _ := ctx.Value(carriedKey{}).(*carriedWatch)
	return w
}

// run is the watch, from its request to the end that its client is told.
func (w *carriedWatch) run() {
	defer w.cancel()
	c := w.of.calls
	info := &grpc.StreamServerInfo{FullMethod: candorv1.ObjectService_Watch_FullMethodName, IsServerStream: true}
	end := encodedStatus(c.through.Stream(c.objects, w, info, c.watch))
	w.of.mu.Lock()
	w.of.ready.end(w, end)
	w.of.mu.Unlock()
	w.of.awake()
}

// grant is called with the stream's lock, or before anybody knows of the watch.
func (w *carriedWatch) grant(bytes uint64) {
	w.credit = min(maxWatchCredit, w.credit+int(min(bytes, maxWatchCredit)))
	w.proceed()
}

// mayAdd says whether the watch may put one more message to those that are sent.
func (w *carriedWatch) mayAdd() bool { return w.credit > 0 && w.unsent < maxUnsent }

// hasRoom says whether the next message is taken at once. It stays so for whoever
// alone sends.
func (w *carriedWatch) hasRoom() bool {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	return w.mayAdd()
}

func (w *carriedWatch) proceed() {
	if !w.mayAdd() {
		return
	}
	select {
	case w.room <- struct{}{}:
	default:
	}
}

// Context is the watch's.
func (w *carriedWatch) Context() context.Context { return w.ctx }

// RecvMsg reads the request.
func (w *carriedWatch) RecvMsg(in any) error {
	if err := w.of.calls.codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(w.request)}, in); err != nil {
		return status.Errorf(codes.Internal, "decode the request: %v", err)
	}
	return nil
}

// SendMsg hands the message to the stream. It waits while the client has no room for
// it, or too much waits already.
func (w *carriedWatch) SendMsg(m any) error {
	response, err := w.encode(m)
	if err != nil {
		return err
	}
	for !w.add(response) {
		select {
		case <-w.room:
		case <-w.ctx.Done():
			return w.ctx.Err()
		case <-w.of.calls.stopping:
			return &candor.Error{Reason: candor.ReasonShuttingDown, Message: "the server stops: resume on another one"}
		}
	}
	if !w.pushed {
		w.of.awake()
	}
	return nil
}

func (w *carriedWatch) encode(m any) (codec.Encoded, error) {
	response, ok := m.(codec.Encoded)
	if !ok {
		encoded, err := w.of.calls.codec.Marshal(m)
		if err != nil {
			return nil, status.Errorf(codes.Internal, "encode the response: %v", err)
		}
		response = encoded.Materialize()
		encoded.Free()
	}
	if len(response) > maxDelivery {
		return nil, status.Errorf(codes.ResourceExhausted, "the response has %d bytes; a stream carries at most %d", len(response), maxDelivery)
	}
	return response, nil
}

func (w *carriedWatch) add(response codec.Encoded) bool {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if !w.mayAdd() {
		return false
	}
	w.credit -= len(response)
	w.unsent += len(response)
	w.of.ready.add(w, response)
	return true
}

// SetHeader is the stream's own to answer; a watch has none.
func (w *carriedWatch) SetHeader(metadata.MD) error { return nil }

// SendHeader does nothing.
func (w *carriedWatch) SendHeader(metadata.MD) error { return nil }

// SetTrailer does nothing.
func (w *carriedWatch) SetTrailer(metadata.MD) {}
