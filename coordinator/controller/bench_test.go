package controller_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

// BenchmarkReconcile is what the runtime adds to a reconciler that finds nothing to do,
// from a run's start to the last of its keys.
func BenchmarkReconcile(b *testing.B) {
	const keys = 10_000
	objects := make([]*candor.Object, keys)
	for i := range objects {
		objects[i] = workload("web-" + strconv.Itoa(i))
		objects[i].Metadata.ResourceVersion = 1
	}
	store := informer.New([]candor.KindName{candor.KindWorkloads})
	if err := store.Replace(candor.KindWorkloads, candor.Token{Term: 1, Index: 1, Revision: 1}, objects); err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	var end context.CancelFunc
	r, err := controller.New(controller.Config{Store: store, Writer: &world{}, Logger: nullLogger(), Controllers: []controller.Controller{
		does("idle", nil, func(context.Context, controller.Writer, controller.Request) (controller.Result, error) {
			if left.Add(-1) == 0 {
				end()
			}
			return controller.Done(), nil
		}),
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		left.Store(keys)
		end = cancel
		if err := r.Run(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*keys), "ns/reconcile")
}
