package integration

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// TestALeaderThatWasStoppedServesNothingOld: with SIGSTOP, for a part of the
// election timeout, a little more, and much more. What it was asked meanwhile, it
// answers when it goes on, and does not know yet that it was stopped.
func TestALeaderThatWasStoppedServesNothingOld(t *testing.T) {
	t.Parallel()
	const electionTimeout = 250 * time.Millisecond // the server's default
	for _, test := range []struct {
		times  float64
		often  int
		within time.Duration
	}{{0.5, 6, 200 * time.Millisecond}, {1.5, 4, 400 * time.Millisecond}, {10, 1, 800 * time.Millisecond}} {
		t.Run(fmt.Sprint(test.times), func(t *testing.T) {
			s := newScenario(t, 3)
			paused := time.Duration(test.times * float64(electionTimeout))
			var w window
			for range test.often {
				old := s.leader(s.ctx, s.k)
				w = s.pause(old, paused)
				if paused > 4*electionTimeout {
					s.leadsBut(old.name)
				}
				pass(s.ctx, t, test.within)
			}
			well := s.mends(s.servers...)
			h := s.judge()
			if paused > 4*electionTimeout {
				goesOn(t, h, w, 20)
			}
			healthy(t, h, well, s.names()...)
		})
	}
}

// pause stops a process with SIGSTOP for a time. One that was not stopped ends
// the test as inconclusive.
func (s *scenario) pause(p *process, d time.Duration) window {
	s.t.Helper()
	s.leaves(p)
	if err := p.child.Process.Signal(syscall.SIGSTOP); err != nil {
		s.t.Fatal(err)
	}
	w := window{from: s.traffic.now()}
	pass(s.ctx, s.t, d)
	bit := stopped(p)
	w.to = s.traffic.now()
	if err := p.child.Process.Signal(syscall.SIGCONT); err != nil {
		s.t.Fatal(err)
	}
	if !bit {
		s.t.Fatalf("INCONCLUSIVE: %s was not stopped", p.name)
	}
	s.returns(p)
	return w
}

// stopped says whether a process is stopped by a signal.
func stopped(p *process) bool { return p.run.Stopped() }
