package client

import (
	"context"
	"io"
	"sync"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// watchWindow is how many bytes a watch may have on the way and here that nobody has
// read, and one message more.
const watchWindow = 256 << 10

// carriedWatch is one watch over a stream. Its stream never waits for it.
type carriedWatch struct {
	ctx     context.Context //nolint:containedctx // the watch ends with it
	request []byte
	arrived chan struct{} // has a value when there may be something to read

	// Guarded by the stream's lock; id is 0 before the watch was sent.
	of *watchStream
	id uint64
	// forget ends the wait for ctx.
	forget func() bool

	mu sync.Mutex
	// queue has what came, from head on what was not read.
	queue []*delivered
	head  int
	// held is the size of what was not read, read that of what was since the last credit.
	held, read int
	end        error
}

func newCarriedWatch(ctx context.Context, request []byte) *carriedWatch {
	return &carriedWatch{ctx: ctx, request: request, arrived: make(chan struct{}, 1)}
}

// opening tells the server of the watch.
func (w *carriedWatch) opening() *candorv1.WatchOpening {
	out := &candorv1.WatchOpening{Id: w.id, Request: w.request, Credit: watchWindow}
	if sent, ok := metadata.FromOutgoingContext(w.ctx); ok {
		out.Traceparent, out.Tracestate = single(sent, "traceparent"), single(sent, "tracestate")
	}
	return out
}

// receive is the next message, see delivered. The error ends the watch, and is that of gRPC's own
// stream in its place; io.EOF where the server ended it well.
func (w *carriedWatch) receive() (m *candorv1.WatchResponse, shared bool, err error) {
	for {
		if w.ctx.Err() != nil {
			return nil, false, status.FromContextError(w.ctx.Err()).Err()
		}
		next, err := w.next()
		if err != nil {
			return nil, false, err
		}
		if next != nil {
			return next.read()
		}
		select {
		case <-w.arrived:
		case <-w.ctx.Done():
		}
	}
}

// next is the oldest message that was not read, or nil.
func (w *carriedWatch) next() (*delivered, error) {
	w.mu.Lock()
	if w.head == len(w.queue) {
		defer w.mu.Unlock()
		return nil, w.end
	}
	next := w.queue[w.head]
	w.queue[w.head] = nil
	if w.head++; w.head == len(w.queue) {
		w.queue, w.head = w.queue[:0], 0
	}
	w.held -= len(next.data)
	w.read += len(next.data)
	credit := 0
	if w.read >= watchWindow/2 {
		credit, w.read = w.read, 0
	}
	w.mu.Unlock()
	if credit > 0 {
		w.of.credit(w, credit)
	}
	return next, nil
}

// put adds a message. It is false where the server sent more than it had credit for.
func (w *carriedWatch) put(d *delivered) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held >= watchWindow {
		return false
	}
	w.held += len(d.data)
	w.queue = append(w.queue, d)
	w.awake()
	return true
}

// finish says how the watch ended, once what came before was read.
func (w *carriedWatch) finish(err error) {
	w.mu.Lock()
	w.end = err
	w.mu.Unlock()
	w.awake()
}

func (w *carriedWatch) awake() {
	select {
	case w.arrived <- struct{}{}:
	default:
	}
}

// endOf is what an encoded status means to a reader.
func endOf(encoded []byte) error {
	var p spb.Status
	if err := proto.Unmarshal(encoded, &p); err != nil {
		return status.Errorf(codes.Internal, "decode the status: %v", err)
	}
	if err := status.ErrorProto(&p); err != nil {
		return err
	}
	return io.EOF
}
