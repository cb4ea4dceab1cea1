package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

const (
	// carriedAfter is how many calls of a connection go by themselves before a stream
	// is opened: a client that makes few needs none.
	carriedAfter = 4
	// A stream that could not be opened is tried again after a while; where the server
	// is too old to have any, after a long one.
	reopenAfter     = time.Second
	reopenOldServer = 5 * time.Minute
)

// callLine is a connection, and the stream of calls on it while there is one. Until
// there is, calls go by themselves; none waits for a stream.
type callLine struct {
	conn    *grpc.ClientConn
	watches *watchLine
	caller  metadata.MD
	// alone: there shall be no stream.
	alone   bool
	current atomic.Pointer[callStream]
	early   atomic.Uint32

	ctx    context.Context //nolint:containedctx // it ends with close
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu      sync.Mutex
	opening bool
	after   time.Time // when the next attempt to open one is due
	closed  bool
}

func newCallLine(conn *grpc.ClientConn, caller metadata.MD, alone bool) *callLine {
	l := &callLine{conn: conn, watches: newWatchLine(conn, caller, alone), caller: caller, alone: alone}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// stream is the one there is, or nil.
func (l *callLine) stream() *callStream {
	if s := l.current.Load(); s != nil {
		return s
	}
	if l.alone || l.early.Load() < carriedAfter && l.early.Add(1) < carriedAfter {
		return nil
	}
	l.open()
	return nil
}

func (l *callLine) open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opening || l.closed || time.Now().Before(l.after) {
		return
	}
	l.opening = true
	l.wait.Go(l.serve)
}

// serve opens a stream and receives its answers until it ends.
func (l *callLine) serve() {
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(l.ctx, l.caller))
	defer cancel()
	err := l.receive(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opening = false
	switch {
	case status.Code(err) == codes.Unimplemented:
		l.after = time.Now().Add(reopenOldServer)
	case err != nil:
		l.after = time.Now().Add(reopenAfter)
	}
}

// receive is nil when the server ended the stream as it had announced.
func (l *callLine) receive(ctx context.Context) error {
	stream, err := candorv1.NewCallServiceClient(l.conn).Calls(ctx)
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if first.GetLimit() == 0 {
		return status.Error(codes.Unimplemented, "the server's streams take no calls")
	}
	s := newCallStream(stream, int(first.GetLimit()))
	l.wait.Go(s.send)
	l.current.Store(s)
	err = s.receive()
	l.current.CompareAndSwap(s, nil)
	return s.end(err)
}

func (l *callLine) close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.watches.close()
	err := l.conn.Close()
	l.wait.Wait()
	l.watches.wait.Wait()
	return err
}
