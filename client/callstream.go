package client

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
)

// maxCallsMessage is about how many bytes of calls go into one message.
const maxCallsMessage = 256 << 10

// callStream carries calls. Those that wait while a message is being sent go into
// the next one together. Two goroutines belong to its line: one sends, one receives.
type callStream struct {
	stream candorv1.CallService_CallsClient
	limit  int
	wake   chan struct{}
	ended  chan struct{}
	spare  sync.Pool // of callings that nobody knows of any more

	mu sync.Mutex
	// pending calls have not been sent; under way are those that were, and that
	// somebody waits for.
	pending  []*calling
	underWay map[uint64]*calling
	// open counts those that were sent and have no answer, whoever waits.
	open      int
	last      uint64
	cancelled []uint64
	over      bool
}

func newCallStream(stream candorv1.CallService_CallsClient, limit int) *callStream {
	return &callStream{
		stream: stream, limit: limit, wake: make(chan struct{}, 1), ended: make(chan struct{}), underWay: map[uint64]*calling{},
		spare: sync.Pool{New: newCalling},
	}
}

// enqueue is false where the stream takes no more calls.
func (s *callStream) enqueue(c *calling) bool {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return false
	}
	s.pending = append(s.pending, c)
	s.mu.Unlock()
	s.awake()
	return true
}

func (s *callStream) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// abandon gives the call up: false where it has ended meanwhile.
func (s *callStream) abandon(c *calling) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.pending, c); i >= 0 {
		s.pending = slices.Delete(s.pending, i, i+1)
		return true
	}
	if s.underWay[c.id] != c {
		return false
	}
	delete(s.underWay, c.id)
	s.cancelled = append(s.cancelled, c.id)
	s.awake()
	return true
}

// send sends what is pending until the stream has ended.
func (s *callStream) send() {
	for {
		select {
		case <-s.wake:
		case <-s.ended:
			return
		}
		runtime.Gosched() // others may have calls, too
		for message := s.message(); message != nil; message = s.message() {
			if s.stream.SendMsg(message) != nil {
				return // who receives hears why
			}
		}
	}
}

// message is what is to be sent now, or nil.
func (s *callStream) message() codec.Encoded {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := 0, 0
	for n < len(s.pending) && n < s.limit-s.open && size < maxCallsMessage {
		size += len(s.pending[n].body) + callHead
		n++
	}
	if n == 0 && len(s.cancelled) == 0 {
		return nil
	}
	now := time.Now()
	message := make([]byte, 0, size+10*len(s.cancelled))
	for _, c := range s.pending[:n] {
		s.last++
		c.id = s.last
		s.underWay[c.id] = c
		message = c.append(message, now)
	}
	s.open += n
	rest := copy(s.pending, s.pending[n:])
	clear(s.pending[rest:])
	s.pending = s.pending[:rest]
	for _, id := range s.cancelled {
		message = appendNumber(message, 2, id)
	}
	s.cancelled = s.cancelled[:0]
	return message
}

// receive hands out answers. It is nil at the end that the server announced.
func (s *callStream) receive() error {
	for {
		in, err := s.stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.answered(in)
	}
}

func (s *callStream) answered(in *candorv1.CallsResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waited := s.open >= s.limit
	for _, answer := range in.GetAnswers() {
		s.open--
		if c := s.underWay[answer.GetId()]; c != nil {
			delete(s.underWay, answer.GetId())
			c.answer = answer
			c.done <- struct{}{}
		}
	}
	if in.GetClosing() {
		s.over = true
		s.refuse(func(id uint64) bool { return id > in.GetTaken() })
	}
	if waited && len(s.pending) > 0 {
		s.awake()
	}
}

// refuse ends the calls that surely never ran: those that are pending, and of those
// under way the ones that never says it of.
func (s *callStream) refuse(never func(id uint64) bool) {
	for _, c := range s.pending {
		c.moved = true
		c.done <- struct{}{}
	}
	s.pending = nil
	for id, c := range s.underWay {
		if never(id) {
			delete(s.underWay, id)
			c.moved = true
			c.done <- struct{}{}
		}
	}
}

// end tells those who wait that the stream is no more. What became of calls under
// way is not known, whatever the stream ended with.
func (s *callStream) end(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	close(s.ended)
	s.refuse(func(uint64) bool { return false })
	if len(s.underWay) == 0 {
		return err
	}
	broke := status.Error(codes.Unavailable, "the stream ended before the call was answered")
	if err != nil {
		broke = status.Errorf(codes.Unavailable, "the stream broke: %s", status.Convert(err).Message())
	}
	for id, c := range s.underWay {
		delete(s.underWay, id)
		c.err = broke
		c.done <- struct{}{}
	}
	return broke
}

// call makes the call, unless it is moved: then it surely did not run, and is to be
// made without the stream. sent says that it may have left this process.
func (s *callStream) call(ctx context.Context, r *request, within time.Duration) (moved, sent bool, err error) {
	c := s.spare.Get().(*calling) //nolint:forcetypeassert // nothing else is put there
	if ok, err := c.encode(ctx, r, within); err != nil || !ok {
		s.release(c)
		return err == nil, false, err
	}
	if !s.enqueue(c) {
		s.release(c)
		return true, false, nil
	}
	if err := c.await(ctx); err != nil {
		if s.abandon(c) {
			return false, c.id != 0, err
		}
		<-c.done
	}
	moved, err = c.moved, c.err
	if !moved && err == nil {
		err = c.decode(r)
	}
	s.release(c)
	return moved, !moved, err
}

func (s *callStream) release(c *calling) {
	c.reset()
	s.spare.Put(c)
}
