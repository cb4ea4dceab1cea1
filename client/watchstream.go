package client

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// watchStream carries watches. Two goroutines belong to its line: one sends, one
// receives. Neither waits for a watch that nobody reads.
type watchStream struct {
	wake  chan struct{}
	ended chan struct{}

	mu sync.Mutex
	// limit is 0 before the server told it.
	limit int
	// pending watches have not been sent; under way are those that were, and that
	// somebody reads.
	pending  []*carriedWatch
	underWay map[uint64]*carriedWatch
	// count is of those that were sent and whose end has not come, whoever reads.
	count   int
	last    uint64
	credits []*candorv1.WatchCredit
	closed  []uint64
	over    bool
}

func newWatchStream() *watchStream {
	return &watchStream{wake: make(chan struct{}, 1), ended: make(chan struct{}), underWay: map[uint64]*carriedWatch{}}
}

// open is false where the stream takes no more watches.
func (s *watchStream) open(w *carriedWatch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.limit > 0 && s.count+len(s.pending) >= s.limit {
		return false
	}
	w.of = s
	s.pending = append(s.pending, w)
	w.forget = context.AfterFunc(w.ctx, func() { s.abandon(w) })
	s.awake()
	return true
}

func (s *watchStream) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// greeted takes the server's limit. Watches over it go by themselves.
func (s *watchStream) greeted(limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
	for len(s.pending) > limit {
		last := len(s.pending) - 1
		s.dismiss(s.pending[last], errMoved)
		s.pending = s.pending[:last]
	}
}

// abandon gives the watch up.
func (s *watchStream) abandon(w *carriedWatch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.pending {
		if other == w {
			s.pending = append(s.pending[:i], s.pending[i+1:]...)
			return
		}
	}
	if s.underWay[w.id] == w {
		s.drop(w)
	}
}

// drop has the server end a watch that nobody reads any more.
func (s *watchStream) drop(w *carriedWatch) {
	delete(s.underWay, w.id)
	s.closed = append(s.closed, w.id)
	s.awake()
}

// credit lets the server send so many bytes more.
func (s *watchStream) credit(w *carriedWatch, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay[w.id] == w {
		s.credits = append(s.credits, &candorv1.WatchCredit{Id: w.id, Bytes: uint64(bytes)})
		s.awake()
	}
}

// send sends what there is to say until the stream has ended.
func (s *watchStream) send(stream candorv1.CallService_WatchesClient) {
	for {
		select {
		case <-s.wake:
		case <-s.ended:
			return
		}
		if message := s.message(); message != nil && stream.Send(message) != nil {
			return // who receives hears why
		}
	}
}

// message is what is to be sent now, or nil.
func (s *watchStream) message() *candorv1.WatchesRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending)+len(s.credits)+len(s.closed) == 0 {
		return nil
	}
	out := &candorv1.WatchesRequest{Credits: s.credits, Closed: s.closed}
	for _, w := range s.pending {
		s.last++
		w.id = s.last
		s.underWay[w.id] = w
		out.Opened = append(out.Opened, w.opening())
	}
	s.count += len(s.pending)
	s.pending, s.credits, s.closed = nil, nil, nil
	return out
}

// receive hands out what comes. It is nil where the server ended the stream well.
func (s *watchStream) receive(stream candorv1.CallService_WatchesClient) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.mu.Lock()
		for _, d := range in.GetDeliveries() {
			s.deliver(d)
		}
		s.mu.Unlock()
	}
}

func (s *watchStream) deliver(d *candorv1.Delivery) {
	if len(d.GetResponse()) > 0 {
		next := &delivered{data: d.GetResponse(), many: len(d.GetWatches()) > 1}
		for _, id := range d.GetWatches() {
			if w := s.underWay[id]; w != nil && !w.put(next) {
				s.drop(w)
				s.dismiss(w, status.Error(codes.Internal, "the server sent more than it had credit for"))
			}
		}
		return
	}
	end := endOf(d.GetStatus())
	for _, id := range d.GetWatches() {
		s.count--
		if w := s.underWay[id]; w != nil {
			delete(s.underWay, id)
			s.dismiss(w, end)
		}
	}
}

// dismiss ends a watch that the stream knows no more.
func (s *watchStream) dismiss(w *carriedWatch, end error) {
	w.forget()
	w.finish(end)
}

// end tells every watch that the stream is no more, with what means to it.
func (s *watchStream) end(end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	close(s.ended)
	for _, w := range s.pending {
		s.dismiss(w, end)
	}
	s.pending = nil
	for id, w := range s.underWay {
		delete(s.underWay, id)
		s.dismiss(w, end)
	}
}

// broken is what the end of a stream means to the watches on it: whatever it ended
// with, they were told nothing.
func broken(err error) error {
	if err == nil {
		return status.Error(codes.Unavailable, "the server ended the stream")
	}
	return status.Errorf(codes.Unavailable, "the stream broke: %s", status.Convert(err).Message())
}
