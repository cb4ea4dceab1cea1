package integration

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor/fsm/tenure"
)

// TestAHolderThatWasStoppedHandsOutNothingTwice: with SIGSTOP, for a part of its
// tenure, a little more, and much more; a leader, and one that follows. What it was
// asked meanwhile it answers when it goes on, and does not know yet that it was stopped.
func TestAHolderThatWasStoppedHandsOutNothingTwice(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		times float64
		leads bool
		often int
	}{{0.5, true, 3}, {0.5, false, 3}, {1.5, true, 2}, {1.5, false, 2}, {10, true, 1}} {
		t.Run(fmt.Sprintf("%v tenures, leads %v", x.times, x.leads), func(t *testing.T) {
			t.Parallel()
			c := start(t, 3)
			ctx, cancel := context.WithTimeout(t.Context(), 58*time.Second)
			defer cancel()
			k := c.client()
			n := c.take(ctx, k)
			paused := time.Duration(x.times * float64(tenureLasts))
			for range x.often {
				leader := c.leader(ctx, k)
				holder := leader
				if !x.leads {
					holder = c.servers[0]
					if holder == leader {
						holder = c.servers[1]
					}
				}
				for _, duty := range []string{tenure.DutyIDs, tenure.DutyTSO} {
					if n.settled(ctx, duty) != holder {
						n.move(ctx, duty, holder)
					}
				}
				n.first(ctx, tenure.DutyTSO, "", time.Now())
				pass(ctx, t, wellBefore)
				suspend(ctx, t, holder, paused)
				n.first(ctx, tenure.DutyTSO, "", time.Now())
				pass(ctx, t, wellBefore)
			}
			n.judge(ctx, 1)
			last := n.of(tenure.DutyTSO)
			if eras := last[len(last)-1].Era; x.times > 1 && eras < uint64(1+x.often) {
				t.Errorf("INCONCLUSIVE: era %d after %d pauses", eras, x.often)
			}
		})
	}
}

// suspend stops a process with SIGSTOP for a time. One that was not stopped ends the
// test as inconclusive.
func suspend(ctx context.Context, t *testing.T, p *process, d time.Duration) {
	t.Helper()
	if err := p.child.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	passes(ctx, d)
	bit := stopped(p)
	if err := p.child.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if !bit {
		t.Fatalf("INCONCLUSIVE: %s was not stopped", p.name)
	}
}
