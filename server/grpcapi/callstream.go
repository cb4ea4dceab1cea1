package grpcapi

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

const (
	// keptWorkers of a stream wait for calls; their stacks have grown once.
	keptWorkers = 64
	// maxAnswers is about how many bytes of answers go into one message.
	maxAnswers = 256 << 10
)

// callStream is one stream of calls. The handler's goroutine sends, one receives,
// and workers make the calls.
type callStream struct {
	calls  *Calls
	stream candorv1.CallService_CallsServer
	ctx    context.Context //nolint:containedctx // it is the stream's

	workers sync.WaitGroup
	work    chan takenCall
	wake    chan struct{}

	mu sync.Mutex
	// cancels has the calls that are being made.
	cancels map[uint64]context.CancelFunc
	ready   []*candorv1.Answer
	idle    int
	// open counts the calls that were taken and whose answer was not sent.
	open    int
	taken   uint64
	closing bool
}

// takenCall is a call for a worker.
type takenCall struct {
	ctx    context.Context //nolint:containedctx // it is the call's
	cancel context.CancelFunc
	call   *candorv1.Call
}

func newCallStream(ctx context.Context, c *Calls, stream candorv1.CallService_CallsServer) *callStream {
	return &callStream{
		calls: c, stream: stream, ctx: ctx,
		work: make(chan takenCall), wake: make(chan struct{}, 1), cancels: map[uint64]context.CancelFunc{},
	}
}

// receive takes calls until the client sends no more. It does not wait for
// whatever is done with them.
func (s *callStream) receive() error {
	for {
		in, err := s.stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, call := range in.GetCalls() {
			if err := s.take(call); err != nil {
				return err
			}
		}
		s.cancel(in.GetCancelled())
	}
}

// take gives a call to a worker, a new one where none waits.
func (s *callStream) take(call *candorv1.Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return nil // the client knows by taken that it never ran
	case call.GetId() <= s.taken:
		return candor.Errorf(candor.ReasonInvalid, "call %d came after call %d; they have to ascend", call.GetId(), s.taken)
	case s.open >= MaxCalls:
		return candor.Errorf(candor.ReasonInvalid, "call %d came while %d had no answer, which are the most", call.GetId(), s.open)
	}
	s.taken = call.GetId()
	s.open++
	ctx, cancel := within(s.ctx, call)
	s.cancels[call.GetId()] = cancel
	t := takenCall{ctx, cancel, call}
	select {
	case s.work <- t:
	default:
		s.workers.Go(func() { s.serve(t) })
	}
	return nil
}

func (s *callStream) cancel(ids []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if cancel := s.cancels[id]; cancel != nil {
			cancel()
		}
	}
}

// serve makes one call after the other.
func (s *callStream) serve(t takenCall) {
	for {
		answer := s.calls.carry(t.ctx, t.call)
		t.cancel()
		if !s.finished(answer) {
			return
		}
		select {
		case t = <-s.work:
		case <-s.ctx.Done():
			return
		}
		s.mu.Lock()
		s.idle--
		s.mu.Unlock()
	}
}

// finished hands the answer on, and says whether the worker is to wait for another
// call.
func (s *callStream) finished(answer *candorv1.Answer) bool {
	s.mu.Lock()
	delete(s.cancels, answer.GetId())
	s.ready = append(s.ready, answer)
	stays := s.idle < keptWorkers
	if stays {
		s.idle++
	}
	s.mu.Unlock()
	s.awake()
	return stays
}

func (s *callStream) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// answer sends answers, those that are ready together, until the client has closed
// its side or the stream is closing and every call has its answer.
func (s *callStream) answer(received <-chan error) error {
	age := time.NewTimer(callStreamAge)
	defer age.Stop()
	stopping := s.calls.stopping
	announce, last := false, false
	for {
		select {
		case <-s.wake:
			runtime.Gosched() // others have answers, too
		case <-stopping:
			stopping, announce = nil, s.close()
		case <-age.C:
			announce = s.close()
		case err := <-received:
			if err != nil {
				return err
			}
			received, last = nil, true
			s.close()
		}
		more, err := s.send(announce)
		if err != nil {
			return err
		}
		announce = false
		if !more && (last || s.isClosing()) {
			return nil
		}
	}
}

// close has the stream take no more calls; false where it was closing.
func (s *callStream) close() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.closing
	s.closing = true
	return !was
}

func (s *callStream) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// send sends what is ready, and says whether any call has no answer yet.
func (s *callStream) send(announce bool) (more bool, err error) {
	for {
		s.mu.Lock()
		out := &candorv1.CallsResponse{Answers: s.batch()}
		if announce {
			out.Closing, out.Taken = true, s.taken
		}
		open := s.open
		s.mu.Unlock()
		if len(out.GetAnswers()) == 0 && !announce {
			return open > 0, nil
		}
		announce = false
		if err := s.stream.Send(out); err != nil {
			return false, err
		}
		s.mu.Lock()
		s.open -= len(out.GetAnswers())
		s.mu.Unlock()
	}
}

// batch takes answers that go into one message.
func (s *callStream) batch() []*candorv1.Answer {
	size, n := 0, 0
	for n < len(s.ready) && size < maxAnswers {
		size += len(s.ready[n].GetResponse()) + len(s.ready[n].GetStatus())
		n++
	}
	if n == len(s.ready) {
		out := s.ready
		s.ready = nil
		return out
	}
	out := s.ready[:n:n]
	s.ready = s.ready[n:]
	return out
}
