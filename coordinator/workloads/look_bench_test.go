package workloads

import (
	"context"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

type noWriter struct{}

func (noWriter) Write(context.Context, controller.Write) (uint64, error) { return 1, nil }

// BenchmarkReconcile is a whole reconcile of 10,000 replicas from a store, with 100 to make.
func BenchmarkReconcile(b *testing.B) {
	v := big(b, 10_000, 100)
	store := informer.New([]candor.KindName{candor.KindWorkloads, candor.KindInstances, candor.KindNodes, candor.KindPriorityClasses}, Indexes...)
	var all []*candor.Object
	for _, i := range v.Instances {
		all = append(all, i.Object)
	}
	token := candor.Token{Term: 1, Index: 9, Revision: 9}
	for kind, objects := range map[candor.KindName][]*candor.Object{
		candor.KindWorkloads: {v.Workload.Object}, candor.KindInstances: all, candor.KindNodes: nil, candor.KindPriorityClasses: nil,
	} {
		if err := store.Replace(kind, token, objects); err != nil {
			b.Fatal(err)
		}
	}
	c := Controller(Settings{
		Store: store, Now: func() int64 { return 100 * second },
		Schedulable: func(*informer.Reader, *candor.InstanceTemplate) (bool, string) { return true, "" },
	})
	r := c.Make(noWriter{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Reconcile(b.Context(), controller.Request{Ref: v.Workload.Ref, View: store.Read()}); err != nil {
			b.Fatal(err)
		}
	}
}
