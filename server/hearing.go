package server

import (
	"context"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/nodes"
	"github.com/candor-plane/candor/informer"
)

// causeHeard is why a node is looked at whose worker is heard of again.
const causeHeard = "HEARD"

// hearEvery is how soon that is noticed.
const hearEvery = 500 * time.Millisecond

// hearing has the node controller look at those that are not Ready once they are heard
// of: a heartbeat makes no version that would tell it.
type hearing struct {
	beats   beats
	store   *informer.Store
	runtime *controller.Runtime
	// known are the newest beats of nodes that are not Ready, by UID.
	known map[string]int64
}

// while listens as long as run does.
func (h *hearing) while(run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		var listening sync.WaitGroup
		defer listening.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		listening.Go(func() { h.listen(ctx) })
		return run(ctx)
	}
}

func (h *hearing) listen(ctx context.Context) {
	ticker := time.NewTicker(hearEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			h.tell()
		case <-ctx.Done():
			return
		}
	}
}

// tell enqueues the nodes that were heard of since the last time.
func (h *hearing) tell() {
	silent := map[string]int64{}
	for item := range h.store.Read().List(candor.KindNodes, "") {
		status, err := informer.Status[candor.NodeStatus](item)
		if err != nil || status.Conditions.True(candor.ConditionReady) {
			continue // what cannot be read the controller says itself
		}
		at, _, heard := h.beats.Beat(item.Metadata.UID)
		if !heard {
			continue
		}
		silent[item.Metadata.UID] = at
		if h.known[item.Metadata.UID] == at {
			continue
		}
		cause := controller.Cause{Reason: causeHeard, Message: "its worker was heard of", Because: item.Version()}
		_ = h.runtime.Enqueue(nodes.Name, item.Ref(), controller.Urgent, cause, 0)
	}
	h.known = silent
}
