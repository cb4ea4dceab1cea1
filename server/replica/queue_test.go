package replica

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

// Callers that come, leave and are refused while lanes take: nobody waits for
// ever, nobody is answered twice, and the books balance.
func TestTheQueueBalancesUnderContention(t *testing.T) {
	q := newQueue(64, 1<<20)
	lead := &leadership{term: 1}
	q.set(gateOpen, lead, nil)
	var pool sync.Pool
	var taken, answered, left, refused, saturated atomic.Int64
	var lanes sync.WaitGroup
	for range 4 {
		lanes.Go(func() {
			for {
				batch, _, ok := q.take(nil, 8, 1<<10)
				if !ok {
					return
				}
				for _, p := range batch {
					taken.Add(1)
					p.err = nil
					p.finish(stateEntered)
				}
			}
		})
	}
	var callers sync.WaitGroup
	for c := range 16 {
		callers.Go(func() {
			for i := 0; i < 2000; {
				p := newPending(&pool, make([]byte, 1+(i+c)%100))
				if err := q.push(p); err != nil {
					p.recycle()
					if err.Reason == candor.ReasonQueueSaturated {
						saturated.Add(1)
					} else {
						refused.Add(1)
					}
					time.Sleep(5 * time.Microsecond)
					continue
				}
				i++
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%40)*time.Microsecond)
				select {
				case <-p.done:
					answered.Add(1)
					p.recycle()
				case <-ctx.Done():
					switch {
					case q.leave(p):
						left.Add(1)
					case p.state.CompareAndSwap(stateEntered, stateGone):
					default:
						<-p.done
						answered.Add(1)
						p.recycle()
					}
				}
				cancel()
			}
		})
	}
	for range 200 {
		q.set(gateClosed, nil, errNotLeading)
		time.Sleep(20 * time.Microsecond)
		q.set(gateGathering, nil, nil)
		time.Sleep(20 * time.Microsecond)
		q.set(gateOpen, lead, nil)
		time.Sleep(50 * time.Microsecond)
	}
	callers.Wait()
	q.set(gateDraining, lead, nil)
	lanes.Wait()
	if commands, bytes := q.depth(); commands != 0 || bytes != 0 {
		t.Errorf("%d commands of %d bytes are counted and gone", commands, bytes)
	}
	t.Logf("taken %d, answered %d, left %d, refused %d, saturated %d", taken.Load(), answered.Load(), left.Load(), refused.Load(), saturated.Load())
	if taken.Load() == 0 || left.Load() == 0 {
		t.Error("the test did not exercise what it should")
	}
}
