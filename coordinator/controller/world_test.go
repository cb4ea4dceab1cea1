package controller_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

var kinds = []candor.KindName{candor.KindWorkloads, candor.KindInstances}

// world is a root: it takes writes one after another, and feeds a store, at once or
// after a while.
type world struct {
	t     *testing.T
	store *informer.Store

	mu       sync.Mutex
	revision uint64
	objects  map[candor.Ref]*candor.Object
	writes   []controller.Write
	fails    error
	lag      time.Duration
	feeding  sync.WaitGroup
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: informer.New(kinds), objects: map[candor.Ref]*candor.Object{}, revision: 100}
	for _, kind := range kinds {
		if err := w.store.Replace(kind, candor.Token{Term: 1, Index: 100, Revision: 100}, nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(w.feeding.Wait)
	return w
}

func (w *world) token() candor.Token {
	return candor.Token{Term: 1, Index: w.revision, Revision: w.revision}
}

// Write is the root's side of a controller's write.
func (w *world) Write(_ context.Context, write controller.Write) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails != nil {
		return 0, w.fails
	}
	w.writes = append(w.writes, write)
	w.revision++
	var versions []informer.Version
	for _, op := range write.Ops {
		versions = append(versions, w.carryOut(op))
	}
	w.feed(versions)
	return w.revision, nil
}

func (w *world) carryOut(op controller.Op) informer.Version {
	target := op.Target()
	o := new(candor.Object)
	if before := w.objects[target]; before != nil {
		*o = *before
	}
	gone := false
	switch op := op.(type) {
	case controller.Create:
		*o = *op.Object
		o.Metadata.UID = "uid-" + strconv.FormatUint(w.revision, 10)
	case controller.Update:
		*o = *op.Object
	case controller.UpdateStatus:
		o.Status = op.Status
	case controller.Delete:
		gone = true
	}
	o.Metadata.ResourceVersion = w.revision
	w.objects[target] = o
	if gone {
		delete(w.objects, target)
	}
	return informer.Version{Kind: target.Kind, Object: o, Gone: gone, Revision: w.revision}
}

func (w *world) feed(versions []informer.Version) {
	token := w.token()
	if w.lag == 0 {
		w.apply(token, versions)
		return
	}
	w.feeding.Go(func() {
		time.Sleep(w.lag)
		w.apply(token, versions)
	})
}

func (w *world) apply(token candor.Token, versions []informer.Version) {
	if err := w.store.Apply(token, versions); err != nil {
		w.t.Error(err)
	}
}

// client writes as nobody's controller.
func (w *world) client(ops ...controller.Op) uint64 {
	w.t.Helper()
	revision, err := w.Write(w.t.Context(), controller.Write{Ops: ops, Reason: "CLIENT"})
	if err != nil {
		w.t.Fatal(err)
	}
	return revision
}

func (w *world) written(reason string) (out []controller.Write) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.writes {
		if x.Reason == reason {
			out = append(out, x)
		}
	}
	return out
}

func (w *world) names(kind candor.KindName) (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for r := range maps.Keys(w.objects) {
		if r.Kind == kind {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names
}

func workload(name string) *candor.Object {
	return &candor.Object{
		APIVersion: "candor/v1", Kind: "Workload", Spec: json.RawMessage(`{"replicas":1}`),
		Metadata: candor.Metadata{Name: name, Namespace: "shop"},
	}
}

func create(name string) controller.Op {
	return controller.Create{Kind: candor.KindWorkloads, Object: workload(name)}
}

// reconciles is a Reconciler of a function.
type reconciles func(ctx context.Context, r controller.Request) (controller.Result, error)

func (f reconciles) Reconcile(ctx context.Context, r controller.Request) (controller.Result, error) {
	return f(ctx, r)
}

// does declares a controller of workloads.
func does(name string, outputs []controller.Output, f func(ctx context.Context, w controller.Writer, r controller.Request) (controller.Result, error)) controller.Controller {
	return controller.Controller{
		Declaration: controller.Declaration{
			Name: name, Inputs: []controller.Input{{Kind: candor.KindWorkloads}}, Outputs: outputs,
		},
		Make: func(w controller.Writer) controller.Reconciler {
			return reconciles(func(ctx context.Context, r controller.Request) (controller.Result, error) { return f(ctx, w, r) })
		},
	}
}

// runs starts controllers; stop ends them and returns what Run returned.
func (w *world) runs(controllers ...controller.Controller) (r *controller.Runtime, stop func() error) {
	w.t.Helper()
	r, err := controller.New(controller.Config{Store: w.store, Writer: w, Controllers: controllers, Logger: hclog.NewNullLogger()})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	w.t.Cleanup(func() { _ = stopped() })
	return r, stopped
}
