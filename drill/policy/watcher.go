package policy

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

const (
	// every is how often it is looked.
	every = 200 * time.Millisecond
	// patience is how long the workload may take to be whole, and an answer to come.
	patience = 30 * time.Second
)

// subject is what a policy is of.
type subject interface {
	// begin returns once what is looked at is whole.
	begin(ctx context.Context, k *client.Client) error
	// look looks once, and keeps what it saw.
	look(ctx context.Context, k *client.Client) error
	// judge holds what was seen against the policy. It waits for desired to be real again
	// for as long as the policy allows.
	judge(ctx context.Context, r *report.Report) []history.Report
}

// Watcher looks at what the policy of a drill is of. Its methods are called by one
// goroutine.
type Watcher struct {
	subject subject
	client  *client.Client
	cancel  context.CancelFunc
	wait    sync.WaitGroup
}

// Watch waits until what the cluster's policy is of is whole, and looks from then on until
// Close.
func Watch(ctx context.Context, stage drill.Stage, cluster *scenario.Cluster) (*Watcher, error) {
	if cluster.Policy == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "the cluster has no policy to be held against")
	}
	var of subject = &residents{policy: cluster.Policy, wanted: cluster.Residents()}
	if cluster.Policy.Kind == candor.KindNodes {
		mode := cluster.Policy.Silence()
		if mode == nil {
			return nil, candor.Errorf(candor.ReasonInvalid, "the policy says nothing of nodes that are not heard of")
		}
		of = &nodes{mode: *mode}
	}
	k, err := stage.Client()
	if err != nil {
		return nil, err
	}
	w := &Watcher{subject: of, client: k}
	beginning, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if err := of.begin(beginning, k); err != nil {
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

// Judge holds what was seen against the policy, adds it to the account, and has the
// verdict say so. It waits for desired to be real again for as long as the policy allows.
func (w *Watcher) Judge(ctx context.Context, outcome *drill.Outcome) {
	add(&outcome.Report, w.subject.judge(ctx, &outcome.Report))
}

// run looks until ctx ends. A look that fails is none: what was not seen is not judged.
func (w *Watcher) run(ctx context.Context) {
	for passes(ctx) {
		asking, cancel := context.WithTimeout(ctx, patience)
		_ = w.subject.look(asking, w.client) // as it says
		cancel()
	}
}

// looks are what each look saw, in their order. Its methods may be called concurrently.
type looks[T any] struct {
	mu  sync.Mutex
	all []T
}

func (l *looks[T]) add(one T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, one)
}

func (l *looks[T]) seen() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clip(l.all)
}

// passes lets the time between two looks go by, and says whether there was so much before
// ctx ended.
func passes(ctx context.Context) bool {
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
