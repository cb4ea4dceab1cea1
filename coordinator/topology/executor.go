package topology

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// Executor carries out the membership changes that the root has planned: the duty
// topology. It takes one step at a time, each from a plan made anew of the members as
// they are, so one that crashed at any point is resumed by the next holder, who needs
// to know nothing of it. A step that is not the change itself, of a replacement or
// before a removal, is a transition of its own and planned in the root first.
//
// What a step does to Raft passes no fence. It is safe all the same: it is judged by a
// confirmed read of this term, made on the configuration that was judged, and its truth
// is what the root sees, not what the executor says.
type Executor struct {
	root    Root
	members Members
	logger  hclog.Logger

	mu sync.Mutex
	// journals are of what pends, by ID. They are this process's: a crash loses them.
	journals map[string]*work
}

// work is what the executor knows of its work on one transition.
type work struct {
	journal transition.Journal
	// failed is the last attempt, where it failed: nothing else is wrong while Count is 0.
	failed transition.Attempt
}

// longestRest is how long the executor rests at most while something pends.
const longestRest = time.Second

var _ coordinator.Bound = (*Executor)(nil)

// NewExecutor returns one that acts on nothing until it runs.
func NewExecutor(root Root, members Members, logger hclog.Logger) *Executor {
	if root == nil || members == nil || logger == nil {
		panic("topology: root, members and logger are required")
	}
	return &Executor{root: root, members: members, logger: logger, journals: map[string]*work{}}
}

// Name is topology.
func (x *Executor) Name() string { return tenure.DutyTopology }

// BoundToLeader says that Raft takes changes of its leader alone.
func (x *Executor) BoundToLeader() {}

// Run works until the context ends.
func (x *Executor) Run(ctx context.Context, g *coordinator.Grant) error {
	x.mu.Lock()
	clear(x.journals)
	x.mu.Unlock()
	for ctx.Err() == nil {
		seen, changed := x.root.Pending()
		x.keep(seen.Pending)
		r := &round{x: x, grant: g, seen: seen}
		if r.run(ctx) {
			continue
		}
		rest := longestRest
		if r.next > seen.Now {
			rest = min(rest, time.Duration(r.next-seen.Now))
		}
		wait(ctx, changed, rest, len(seen.Pending) > 0)
	}
	return nil
}

// wait returns when something has changed, and while something pends after a rest.
func wait(ctx context.Context, changed <-chan struct{}, rest time.Duration, pends bool) {
	var due <-chan time.Time
	if pends {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-due:
	}
}

// Journals are what this node's executor knows of its work, for transition.Merge. Any
// goroutine may call it.
func (x *Executor) Journals() []transition.Journal {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := make([]transition.Journal, 0, len(x.journals))
	for _, w := range x.journals {
		out = append(out, w.journal)
	}
	slices.SortFunc(out, func(a, b transition.Journal) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out
}

// keep forgets the journals of what has ended.
func (x *Executor) keep(pending []transition.Transition) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id := range x.journals {
		if !slices.ContainsFunc(pending, func(t transition.Transition) bool { return t.Plan.ID() == id }) {
			delete(x.journals, id)
		}
	}
}

// update changes the journal of a transition, and returns it as it is then.
func (x *Executor) update(id string, change func(*work)) work {
	x.mu.Lock()
	defer x.mu.Unlock()
	w := x.journals[id]
	if w == nil {
		w = &work{journal: transition.Journal{ID: id, Publish: transition.PublishPending}}
		x.journals[id] = w
	}
	if change != nil {
		change(w)
	}
	return *w
}
