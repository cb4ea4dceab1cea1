package replica

import (
	"context"
	"sync"

	"github.com/candor-plane/candor"
)

// rounds let all who come while one round is in flight share the next, so that
// what a round finds was so after each of them came. One goroutine conducts
// them, one after the other.
type rounds struct {
	mu      sync.Mutex
	pending *round
	closed  bool
	kick    chan struct{}
}

// round is one set of questions and all callers that share its answer.
type round struct {
	done  chan struct{}
	proof Proof
	err   *candor.Error
}

func newRounds() *rounds { return &rounds{kick: make(chan struct{}, 1)} }

// wait joins the round that begins next and waits for its end, where the proof
// or the error is.
func (s *rounds) wait(ctx context.Context) (*round, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errStopping
	}
	if s.pending == nil {
		s.pending = &round{done: make(chan struct{})}
		select {
		case s.kick <- struct{}{}:
		default:
		}
	}
	rd := s.pending
	s.mu.Unlock()
	select {
	case <-rd.done:
		return rd, nil
	case <-ctx.Done():
		return nil, ended(ctx, "while leadership was being confirmed")
	}
}

// begin closes the pending round to further callers.
func (s *rounds) begin() *round {
	s.mu.Lock()
	defer s.mu.Unlock()
	rd := s.pending
	s.pending = nil
	return rd
}

// close ends the pending round and refuses others.
func (s *rounds) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.pending != nil {
		s.pending.err = errStopping
		close(s.pending.done)
		s.pending = nil
	}
}
