package drill

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/evidence"
)

// traffic is the workloads of a run. It belongs to one run.
type traffic struct {
	all []one

	wait   sync.WaitGroup
	mu     sync.Mutex
	failed error
}

// one is a workload with what it runs in.
type one struct {
	workload.Workload
	env *workload.Env
}

func newTraffic(s *scenario.Scenario, stage Stage, recorder *evidence.Recorder, seed uint64) (*traffic, error) {
	t := new(traffic)
	for i, load := range s.Load.Workloads {
		w, known := workload.Named(load.Name)
		if !known {
			return nil, candor.Errorf(candor.ReasonInvalid, "no workload is named %q: want one of %v", load.Name, workload.Names())
		}
		t.all = append(t.all, one{w, &workload.Env{
			Cluster: stage, Recorder: recorder, Rand: rand.New(rand.NewPCG(seed, uint64(i)+1)), Load: load,
		}})
	}
	return t, nil
}

// prepare makes what the traffic is about.
func (t *traffic) prepare(ctx context.Context) error {
	return t.each(func(w one) error { return w.Prepare(ctx, w.env) })
}

// begin lets all of it run until ctx ends; end waits for that.
func (t *traffic) begin(ctx context.Context) {
	for _, w := range t.all {
		t.wait.Go(func() {
			if err := w.Run(ctx, w.env); err != nil {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.failed = candor.Wrap(w.Name(), err)
			}
		})
	}
}

func (t *traffic) end() error {
	t.wait.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// finish reads what the checks want of the end.
func (t *traffic) finish(ctx context.Context) error {
	return t.each(func(w one) error { return w.Finish(ctx, w.env) })
}

func (t *traffic) each(do func(one) error) error {
	for _, w := range t.all {
		if err := do(w); err != nil {
			return candor.Wrap(w.Name(), err)
		}
	}
	return nil
}
