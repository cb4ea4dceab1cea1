package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
)

const (
	// namespace and name are of the workload that is looked at, which has so many replicas:
	// more than there are nodes, so that some are on those that fall silent.
	namespace, name = "drill-policy", "steady"
	replicas        = 24
	// every is how often it is looked.
	every = 200 * time.Millisecond
	// patience is how long the workload may take to be whole, and an answer to come.
	patience = 30 * time.Second
)

// Watcher looks at the nodes of a drill. Its methods are called by one goroutine.
type Watcher struct {
	mode   candor.FailureMode
	client *client.Client
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu      sync.Mutex
	samples []sample
}

// Watch makes the workload, waits until it is whole, and looks from then on until Close.
// The policy has a mode of silent nodes.
func Watch(ctx context.Context, stage drill.Stage, policy *candor.FailurePolicySpec) (*Watcher, error) {
	mode := policy.Silence()
	if mode == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "the policy says nothing of nodes that are not heard of")
	}
	k, err := stage.Client()
	if err != nil {
		return nil, err
	}
	w := &Watcher{mode: *mode, client: k}
	if err := w.begin(ctx); err != nil {
		return nil, errors.Join(candor.Wrap("the workload that a policy is watched by", err), k.Close())
	}
	looking, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.cancel = cancel
	w.wait.Go(func() { w.run(looking) })
	return w, nil
}

// Close ends it.
func (w *Watcher) Close() error {
	w.cancel()
	w.wait.Wait()
	return w.client.Close()
}

func (w *Watcher) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, o := range []*candor.Object{
		{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: namespace}},
		{APIVersion: candor.APIVersion, Kind: "Workload", Metadata: candor.Metadata{Namespace: namespace, Name: name}, Spec: fmt.Appendf(nil, `{"replicas":%d,"template":{"command":["drill"]}}`, replicas)},
	} {
		if _, err := w.client.Create(ctx, o); err != nil && candor.ReasonOf(err) != candor.ReasonAlreadyExists {
			return err
		}
	}
	for {
		s, err := look(ctx, w.client)
		if err == nil && s.real() {
			return nil
		}
		if !passes(ctx, every) {
			return candor.Errorf(candor.ReasonTimedOut, "%d of %d instances are ready", s.ready, s.wanted)
		}
	}
}

// run looks until ctx ends. A look that fails is none: what was not seen is not judged.
func (w *Watcher) run(ctx context.Context) {
	for passes(ctx, every) {
		asking, cancel := context.WithTimeout(ctx, patience)
		s, err := look(asking, w.client)
		cancel()
		if err != nil {
			continue
		}
		w.mu.Lock()
		w.samples = append(w.samples, s)
		w.mu.Unlock()
	}
}

// seen are the looks so far.
func (w *Watcher) seen() []sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clip(w.samples)
}

// passes lets time go by, and says whether there was so much before ctx ended.
func passes(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
