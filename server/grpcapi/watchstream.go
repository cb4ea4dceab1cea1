package grpcapi

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// watchStream is one stream of watches. The handler's goroutine sends, one receives,
// and each watch has its own.
type watchStream struct {
	calls  *Calls
	stream candorv1.CallService_WatchesServer
	ctx    context.Context //nolint:containedctx // it is the stream's

	watches sync.WaitGroup
	wake    chan struct{}

	mu sync.Mutex
	// open has the watches whose end was not sent.
	open    map[uint64]*carriedWatch
	ready   deliveries
	taken   uint64
	closing bool

	// pumping is taken before a pump's own lock.
	pumping sync.Mutex
	pumps   map[candor.KindName]*pump
}

func newWatchStream(ctx context.Context, c *Calls, stream candorv1.CallService_WatchesServer) *watchStream {
	return &watchStream{calls: c, stream: stream, ctx: ctx, wake: make(chan struct{}, 1), open: map[uint64]*carriedWatch{}, pumps: map[candor.KindName]*pump{}}
}

// receive takes watches, and what becomes of them, until the client sends no more.
func (s *watchStream) receive() error {
	for {
		in, err := s.stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, opening := range in.GetOpened() {
			if err := s.take(opening); err != nil {
				return err
			}
		}
		s.mu.Lock()
		for _, credit := range in.GetCredits() {
			if w := s.open[credit.GetId()]; w != nil {
				w.grant(credit.GetBytes())
			}
		}
		for _, id := range in.GetClosed() {
			if w := s.open[id]; w != nil {
				w.cancel()
			}
		}
		s.mu.Unlock()
	}
}

// take begins a watch.
func (s *watchStream) take(opening *candorv1.WatchOpening) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := opening.GetId()
	switch {
	case s.closing:
		return nil // it ends with the stream
	case id <= s.taken:
		return candor.Errorf(candor.ReasonInvalid, "watch %d came after watch %d; they have to ascend", id, s.taken)
	case len(s.open) >= MaxWatches:
		return candor.Errorf(candor.ReasonInvalid, "watch %d came while there were %d, which are the most", id, len(s.open))
	}
	s.taken = id
	w := newCarriedWatch(s, opening)
	s.open[id] = w
	s.watches.Go(w.run)
	return nil
}

func (s *watchStream) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// deliver sends what watches have, what is ready together, until the client has
// closed its side or the server stops, and every watch has ended.
func (s *watchStream) deliver(received <-chan error) error {
	stopping := s.calls.stopping
	for {
		select {
		case <-s.wake:
			runtime.Gosched() // other watches are told the same now
		case <-stopping:
			stopping = nil
			s.close()
		case err := <-received:
			if err != nil {
				return err
			}
			received = nil
			s.close()
		}
		over, err := s.send()
		if err != nil || over {
			return err
		}
	}
}

// close has the stream take no more watches.
func (s *watchStream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
}

// send sends what is ready, and says whether nothing can come any more.
func (s *watchStream) send() (over bool, err error) {
	for {
		s.mu.Lock()
		batch := s.ready.take(maxDeliveries)
		over := s.closing && len(s.open) == 0
		s.mu.Unlock()
		if len(batch) == 0 {
			return over, nil
		}
		if err := s.stream.Send(message(batch)); err != nil {
			return false, err
		}
		s.mu.Lock()
		for i := range batch {
			s.sent(&batch[i])
		}
		s.mu.Unlock()
	}
}

func (s *watchStream) sent(d *delivery) {
	for _, w := range d.watches {
		if d.response == nil {
			delete(s.open, w.id)
			continue
		}
		w.unsent -= len(d.response)
		w.proceed()
	}
}
