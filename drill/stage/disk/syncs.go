package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/candor-plane/candor/drill/stage/calls"
)

// Manner is what becomes of syncs.
type Manner int

// The manners.
const (
	// Pass: they are made.
	Pass Manner = iota
	// Delay: they are made some time later.
	Delay
	// Fail: they are answered with EIO.
	Fail
	// FailOnce: the next one is, and those after it are made.
	FailOnce
	// Hang: they are not answered.
	Hang
)

// Syncs decides what becomes of a server's syncs of its log (fsync and fdatasync of
// files that end in .wal), whichever process of the server's makes them. Syncs of
// other files pass. Its methods may be called concurrently.
type Syncs struct {
	mu     sync.Mutex
	manner Manner
	delay  time.Duration
	counts Counts
	held   map[*calls.Call]held
}

// held is a call that waits; wake answers it, if it is to be answered at a time.
type held struct {
	of   *calls.Calls
	wake *time.Timer
}

// Counts are how many syncs met with what, since the beginning.
type Counts struct {
	Seen, Delayed, Failed, Hung int
}

// NewSyncs lets all pass.
func NewSyncs() *Syncs { return &Syncs{held: map[*calls.Call]held{}} }

// Set says what becomes of syncs from now on, and of those that hang or wait. delay
// counts for Delay alone.
func (s *Syncs) Set(manner Manner, delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner, s.delay = manner, delay
	if manner == Hang {
		return
	}
	for call, h := range s.held {
		delete(s.held, call)
		if h.wake != nil {
			h.wake.Stop()
		}
		s.decide(h.of, call)
	}
}

// Counts so far.
func (s *Syncs) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Decide answers a call, or holds it until Set or the end of its delay.
func (s *Syncs) Decide(from *calls.Calls, call *calls.Call) {
	if !isLog(call) {
		from.Pass(call)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Seen++
	s.decide(from, call)
}

// isLog says whether a file that is about to be synced is the log's.
func isLog(call *calls.Call) bool {
	file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", call.Thread, call.Arguments[0]))
	return err == nil && filepath.Ext(file) == ".wal"
}

// decide answers a call or holds it. The caller has the lock.
func (s *Syncs) decide(from *calls.Calls, call *calls.Call) {
	switch s.manner {
	case Hang:
		s.counts.Hung++
		s.held[call] = held{of: from}
	case Delay:
		s.counts.Delayed++
		s.held[call] = held{of: from, wake: time.AfterFunc(s.delay, func() { s.release(call) })}
	case Fail, FailOnce:
		if s.manner == FailOnce {
			s.manner = Pass
		}
		s.counts.Failed++
		from.Fail(call, syscall.EIO)
	default:
		from.Pass(call)
	}
}

// release has a call be made whose delay is over, unless it was answered before.
func (s *Syncs) release(call *calls.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.held[call]; ok {
		delete(s.held, call)
		h.of.Pass(call)
	}
}

// Forget drops what a process asked that is gone.
func (s *Syncs) Forget(from *calls.Calls) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for call, h := range s.held {
		if h.of != from {
			continue
		}
		delete(s.held, call)
		if h.wake != nil {
			h.wake.Stop()
		}
	}
}
