package limit_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/limit"
)

// few is a limiter with few topology places, none reserved, and long queues.
func few(t testing.TB, places int, change func(*limit.ClassSettings)) *limit.Limiter {
	return newLimiter(t, func(s *limit.Settings) {
		c := &s.Topology
		c.Places, c.Reserved, c.Share = places, 0, 1<<18
		c.Queue, c.QueuePerIdentity, c.Wait = 1<<19, 1<<18, time.Hour
		if change != nil {
			change(c)
		}
	})
}

// log is who entered, in order; all of it happens in one bubble.
type log struct {
	entered chan string
}

// ask enters in a goroutine of its own, works, and leaves.
func (l *log) ask(t *testing.T, limiter *limit.Limiter, who limit.Who, work time.Duration) {
	go func() {
		place, err := limiter.Enter(t.Context(), who, candor.AdmitTopology)
		if err != nil {
			t.Errorf("%s: %v", who.Key(), err)
			return
		}
		l.entered <- who.Key()
		time.Sleep(work)
		place.Done()
	}()
}

func TestAModestIdentityWaitsForOneRoundHoweverMuchAGreedyOneAsksFor(t *testing.T) {
	for _, greedy := range []int{1, 20} {
		t.Run(fmt.Sprintf("%d greedy", greedy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const each, places = 10_000, 4
				l, limiter := &log{make(chan string, each*greedy+1)}, few(t, places, nil)
				requests := each / greedy
				for i := range greedy * requests {
					l.ask(t, limiter, limit.Actor(fmt.Sprintf("greedy-%d", i%greedy)), 10*time.Millisecond)
				}
				synctest.Wait()
				time.Sleep(time.Second + 5*time.Millisecond)
				synctest.Wait()
				before := len(l.entered)

				began := time.Now()
				place, err := limiter.Enter(t.Context(), limit.Actor("modest"), candor.AdmitTopology)
				if err != nil {
					t.Fatal(err)
				}
				waited := time.Since(began)
				synctest.Wait()
				round := greedy + places // who enters at the same instant is not told apart
				if entered := len(l.entered) - before; entered > round {
					t.Errorf("%d entered before the modest one; want at most a round of %d", entered, round)
				}
				if most := 10 * time.Millisecond * time.Duration(greedy/places+1); waited > most {
					t.Errorf("the modest one waited %s; want at most %s", waited, most)
				}
				place.Done()
				for len(l.entered) < greedy*requests {
					time.Sleep(time.Second)
				}
				synctest.Wait()
			})
		})
	}
}

func TestAnIdentitysRequestsEnterInTheOrderTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := few(t, 1, nil)
		first := enter(t, limiter, "ana")
		entered := make(chan int, 100)
		for i := range 100 {
			go func() {
				place, err := limiter.Enter(t.Context(), limit.Actor("ana"), candor.AdmitTopology)
				if err != nil {
					t.Error(err)
					return
				}
				entered <- i
				place.Done()
			}()
			synctest.Wait() // this one waits before the next comes
		}
		first.Done()
		for want := range 100 {
			if got := <-entered; got != want {
				t.Fatalf("request %d entered; want %d", got, want)
			}
		}
	})
}

func TestWhoeverWaitsTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := few(t, 1, nil)
		first := enter(t, limiter, "ana")
		l := &log{make(chan string, 100)}
		for _, who := range []string{"ana", "ana", "ana", "ben", "ben", "cleo"} {
			l.ask(t, limiter, limit.Actor(who), time.Millisecond)
			synctest.Wait()
		}
		first.Done()
		for i, want := range []string{"ana", "ben", "cleo", "ana", "ben", "ana"} {
			if got := <-l.entered; got != want {
				t.Errorf("turn %d is %s's; want %s's", i, got, want)
			}
		}
		time.Sleep(time.Second) // until the last has left
	})
}

func TestAnIdentityBeyondItsShareWaitsAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := few(t, 10, func(c *limit.ClassSettings) { c.Share = 3 })
		mine := []limit.Place{enter(t, limiter, "ana"), enter(t, limiter, "ana"), enter(t, limiter, "ana")}
		l := &log{make(chan string, 10)}
		for range 3 {
			l.ask(t, limiter, limit.Actor("ana"), time.Minute)
		}
		synctest.Wait()
		if len(l.entered) != 0 {
			t.Fatal("ana has more than her share")
		}
		for range 3 {
			enterNow(t, limiter, "ben").Done()
		}
		mine[0].Done()
		if <-l.entered; len(l.entered) != 0 {
			t.Fatal("one place of her own came free, and more than one entered")
		}
		mine[1].Done()
		mine[2].Done()
		<-l.entered
		<-l.entered
		time.Sleep(2 * time.Minute)
	})
}

// enter takes a topology place, and fails if there is none within the hour.
func enter(t testing.TB, l *limit.Limiter, actor string) limit.Place {
	t.Helper()
	place, err := l.Enter(t.Context(), limit.Actor(actor), candor.AdmitTopology)
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// enterNow is enter that must not wait; in a bubble only.
func enterNow(t testing.TB, l *limit.Limiter, actor string) limit.Place {
	t.Helper()
	began := time.Now()
	place := enter(t, l, actor)
	if waited := time.Since(began); waited != 0 {
		t.Fatalf("%s waited %s; want no wait", actor, waited)
	}
	return place
}

// waits asks in the background, and returns when the request waits; the error
// comes when it is refused, nil when it entered and left. In a bubble only.
func waits(ctx context.Context, t testing.TB, l *limit.Limiter, actor string) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		place, err := l.Enter(ctx, limit.Actor(actor), candor.AdmitTopology)
		place.Done()
		done <- err
	}()
	synctest.Wait()
	if len(done) != 0 {
		t.Fatalf("%s did not wait: %v", actor, <-done)
	}
	return done
}
