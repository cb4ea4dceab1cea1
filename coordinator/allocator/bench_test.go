package allocator_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor/coordinator/allocator"
)

// The root takes a millisecond for a reservation.
func benchmark(b *testing.B, begin func(r *root) func(context.Context, uint64) (allocator.Range, error)) {
	for _, callers := range []int{1, 64} {
		for _, n := range []uint64{1, 100} {
			b.Run(fmt.Sprintf("callers=%d/n=%d", callers, n), func(b *testing.B) {
				take := begin(&root{delay: time.Millisecond})
				var running sync.WaitGroup
				b.ResetTimer()
				began := time.Now()
				for range callers {
					running.Go(func() {
						for range max(b.N/callers, 1) {
							if _, err := take(b.Context(), n); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				running.Wait()
				calls := max(b.N/callers, 1) * callers
				b.ReportMetric(float64(calls)/time.Since(began).Seconds(), "calls/s")
				b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "procs")
			})
		}
	}
}

func BenchmarkAllocID(b *testing.B) {
	benchmark(b, func(r *root) func(context.Context, uint64) (allocator.Range, error) {
		return newIDs(b, settings(1, 0), r).AllocID
	})
}

func BenchmarkTSO(b *testing.B) {
	benchmark(b, func(r *root) func(context.Context, uint64) (allocator.Range, error) {
		return newTSO(b, settings(1, 0), r, believing()).TSO
	})
}
