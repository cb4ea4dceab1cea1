package replica

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

func TestWaitersWakeAtTheirIndexAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &applied{wall: time.Now}
		var woken atomic.Int64
		var wg sync.WaitGroup
		for i := uint64(1); i <= 500; i++ {
			wg.Go(func() {
				if err := a.wait(t.Context(), i); err != nil || a.index.Load() < i {
					t.Errorf("waiter of %d woke at %d: %v", i, a.index.Load(), err)
				}
				woken.Add(1)
			})
		}
		for index := uint64(7); index <= 500; index += 7 {
			synctest.Wait()
			a.advance(index)
			synctest.Wait()
			if got := woken.Load(); got != int64(index) {
				t.Fatalf("at index %d %d have woken", index, got)
			}
		}
		a.advance(500)
		wg.Wait()
		if n := a.waiting.Load(); n != 0 || len(a.heap) != 0 {
			t.Errorf("%d waiters are left", n)
		}
	})
}

func TestAWaiterLeavesWithItsContextOrTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &applied{wall: time.Now}
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantReason(t, a.wait(late, 5), candor.ReasonTimedOut)
		gone, leave := context.WithCancel(t.Context())
		leave()
		wantReason(t, a.wait(gone, 5), candor.ReasonCanceled)
		if len(a.heap) != 0 || a.waiting.Load() != 0 {
			t.Errorf("%d waiters are left", len(a.heap))
		}
		done := make(chan error)
		go func() { done <- a.wait(t.Context(), 5) }()
		synctest.Wait()
		a.close()
		wantReason(t, <-done, candor.ReasonShuttingDown)
		wantReason(t, a.wait(t.Context(), 6), candor.ReasonShuttingDown)
	})
}

func TestWaitersAreNeverLostUnderContention(t *testing.T) {
	a := &applied{wall: time.Now}
	var wg sync.WaitGroup
	var next atomic.Uint64
	stop := make(chan struct{})
	for w := range 8 {
		wg.Go(func() {
			for i := range 3000 {
				ctx, cancel := t.Context(), func() {}
				if (i+w)%5 == 0 {
					ctx, cancel = context.WithTimeout(t.Context(), time.Duration(i%50)*time.Microsecond)
				}
				want := a.index.Load() + uint64(i%3)
				if err := a.wait(ctx, want); err == nil && a.index.Load() < want {
					t.Errorf("woke at %d before %d", a.index.Load(), want)
				}
				cancel()
			}
		})
	}
	go func() {
		defer close(stop)
		for {
			select {
			case <-stop:
				return
			default:
				a.advance(next.Add(1))
			}
		}
	}()
	wg.Wait()
	stop <- struct{}{}
	<-stop
	if len(a.heap) != 0 || a.waiting.Load() != 0 {
		t.Errorf("%d waiters are left, counted %d", len(a.heap), a.waiting.Load())
	}
}
