package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// watchLine is the stream of watches of a connection: it is there while there are
// any, unless the server has none.
type watchLine struct {
	conn   *grpc.ClientConn
	caller metadata.MD
	// alone: there shall be no stream.
	alone bool

	ctx    context.Context //nolint:containedctx // it ends with close
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu      sync.Mutex
	current *watchStream
	after   time.Time // when the next attempt to open one is due
	closed  bool
}

func newWatchLine(conn *grpc.ClientConn, caller metadata.MD, alone bool) *watchLine {
	l := &watchLine{conn: conn, caller: caller, alone: alone}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// watch begins a watch, which ends with ctx. It goes over the stream unless it cannot
// or alone says that it must not. The request is not read after the first message.
func (l *watchLine) watch(ctx context.Context, in *candorv1.WatchRequest, alone bool) (watchReceiver, error) {
	if !alone {
		w, err := l.carry(ctx, in)
		if err != nil {
			return nil, err
		}
		if w != nil {
			return &movingWatch{line: l, ctx: ctx, in: in, carried: w}, nil
		}
	}
	return l.byItself(ctx, in)
}

func (l *watchLine) byItself(ctx context.Context, in *candorv1.WatchRequest) (watchReceiver, error) {
	stream, err := candorv1.NewObjectServiceClient(l.conn).Watch(ctx, in)
	return loneWatch{stream}, err
}

// carry is nil where the watch is to go by itself.
func (l *watchLine) carry(ctx context.Context, in *candorv1.WatchRequest) (*carriedWatch, error) {
	encoded, err := proto.Marshal(in)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "encode the request: %v", err)
	}
	if len(encoded) > maxCarried {
		return nil, nil
	}
	w := newCarriedWatch(ctx, encoded)
	if s := l.stream(); s == nil || !s.open(w) {
		return nil, nil
	}
	return w, nil
}

// stream is the one there is, a new one, or nil.
func (l *watchLine) stream() *watchStream {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != nil {
		return l.current
	}
	if l.alone || l.closed || time.Now().Before(l.after) {
		return nil
	}
	s := newWatchStream()
	l.current = s
	l.wait.Go(func() { l.serve(s) })
	return s
}

// serve has the stream until it ends.
func (l *watchLine) serve(s *watchStream) {
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(l.ctx, l.caller))
	defer cancel()
	greeted, err := l.receive(ctx, s)
	rest := patience(err)
	l.mu.Lock()
	l.current = nil
	if !greeted {
		l.after = time.Now().Add(rest)
	}
	l.mu.Unlock()
	switch {
	case greeted:
		s.end(broken(err))
	case rest == 0:
		s.end(err)
	default:
		s.end(errMoved)
	}
}

// patience is how long there shall be no stream because of why one could not be
// opened. It is none where that says nothing of streams: watches themselves will meet it.
func patience(err error) time.Duration {
	switch status.Code(err) {
	case codes.Unavailable, codes.Canceled:
		return 0
	case codes.Unimplemented:
		return reopenOldServer
	default:
		return reopenAfter
	}
}

// receive says whether the server greeted the stream, and why it ended.
func (l *watchLine) receive(ctx context.Context, s *watchStream) (greeted bool, err error) {
	stream, err := candorv1.NewCallServiceClient(l.conn).Watches(ctx)
	if err != nil {
		return false, err
	}
	first, err := stream.Recv()
	if err != nil {
		return false, err
	}
	if first.GetLimit() == 0 {
		return false, status.Error(codes.Unimplemented, "the server's streams take no watches")
	}
	s.greeted(int(first.GetLimit()))
	l.wait.Go(func() { s.send(stream) })
	return true, s.receive(stream)
}

func (l *watchLine) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
}

// watchReceiver is a watch on its way: what it is told, and at last why it ended.
// Nobody may keep or change a part of a shared message.
type watchReceiver interface {
	receive() (m *candorv1.WatchResponse, shared bool, err error)
}

// loneWatch is a watch by itself.
type loneWatch struct {
	stream grpc.ServerStreamingClient[candorv1.WatchResponse]
}

func (w loneWatch) receive() (*candorv1.WatchResponse, bool, error) {
	m, err := w.stream.Recv()
	return m, false, err
}

// errMoved ends a watch that its stream never sent: it is to go by itself.
var errMoved = errors.New("the stream does not take the watch")

// movingWatch is a watch over the stream, or by itself where that does not take it.
type movingWatch struct {
	line    *watchLine
	ctx     context.Context //nolint:containedctx // it is the watch's
	in      *candorv1.WatchRequest
	carried *carriedWatch
	alone   watchReceiver
}

func (w *movingWatch) receive() (*candorv1.WatchResponse, bool, error) {
	if w.alone != nil {
		return w.alone.receive()
	}
	m, shared, err := w.carried.receive()
	if !errors.Is(err, errMoved) {
		return m, shared, err
	}
	alone, err := w.line.byItself(w.ctx, w.in)
	if err != nil {
		return nil, false, err
	}
	w.alone = alone
	return w.alone.receive()
}
