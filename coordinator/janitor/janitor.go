// Package janitor does the work that writes leave behind: pages of cascades
// (dependents of deleted owners, contents of deleted namespaces) and
// compaction of old versions.
//
// Every step is a command whose turn looks at the state again, so two janitors
// are as good as one and a repeated or late step changes nothing. It runs on
// whichever server leads and stops when that ends. Package server runs it.
package janitor

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// Store is what the janitor needs of the root.
type Store interface {
	// Position is how far the view has come, its floor and its newest revision.
	Position() (index, floor, newest uint64)
	// Changed returns once the view has moved on from index.
	Changed(ctx context.Context, index uint64) error
	// Pending lists cascades in progress, at most limit.
	Pending(limit int) []uint64
	// Page does one bounded step of a cascade and says whether it made progress.
	Page(ctx context.Context, cascade uint64) (progress bool, err error)
	// Compact raises the floor.
	Compact(ctx context.Context, floor uint64) error
}

// Shelf is what the janitor needs of what has had its time: transitions that ended
// long ago, tokens that expired long ago.
type Shelf interface {
	// Tidy removes some, and says whether it removed any.
	Tidy(ctx context.Context) (removed bool, err error)
}

// Policy is what the janitor keeps.
type Policy struct {
	// RetainRevisions is how many revisions stay readable; 0 keeps all.
	RetainRevisions uint64
}

const (
	pagesAtOnce = 16
	// rest is the pause between two looks at a changing store, held the one
	// while cascades wait for finalizers.
	rest = 50 * time.Millisecond
	held = time.Second
	// tidying is the pause between two looks at the shelf when there was nothing.
	tidying = time.Minute
)

// Run works until the context ends.
func Run(ctx context.Context, store Store, shelf Shelf, policy Policy, logger hclog.Logger) {
	if store == nil || shelf == nil || logger == nil {
		panic("janitor: store, shelf and logger are required")
	}
	var done sync.WaitGroup
	defer done.Wait()
	done.Go(func() { tidy(ctx, shelf, logger) })
	for ctx.Err() == nil {
		index, floor, newest := store.Position()
		waiting, progress := cascades(ctx, store, logger)
		compact(ctx, store, policy, floor, newest, logger)
		switch {
		case progress:
		case waiting:
			pause(ctx, held)
		default:
			// It fails only when the context has ended.
			_ = store.Changed(ctx, index)
			pause(ctx, rest)
		}
	}
}

// tidy goes on while there is something to remove, and looks again now and then.
func tidy(ctx context.Context, shelf Shelf, logger hclog.Logger) {
	for ctx.Err() == nil {
		removed, err := shelf.Tidy(ctx)
		if err != nil {
			report(logger, "retention", err)
		}
		if removed && err == nil {
			pause(ctx, rest)
		} else {
			pause(ctx, tidying)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func cascades(ctx context.Context, store Store, logger hclog.Logger) (waiting, progress bool) {
	for _, id := range store.Pending(pagesAtOnce) {
		waiting = true
		moved, err := store.Page(ctx, id)
		if err != nil {
			report(logger, "cascade", err)
			return true, false
		}
		progress = progress || moved
	}
	return waiting, progress
}

// compact raises the floor in steps of a tenth of what is kept, so that it is
// not one more command for every write.
func compact(ctx context.Context, store Store, policy Policy, floor, newest uint64, logger hclog.Logger) {
	keep := policy.RetainRevisions
	if keep == 0 || newest < floor+keep+keep/10 {
		return
	}
	if err := store.Compact(ctx, newest-keep); err != nil {
		report(logger, "compaction", err)
	}
}

// report logs what is not simply the end of leadership.
func report(logger hclog.Logger, what string, err error) {
	switch candor.ReasonOf(err) {
	case candor.ReasonCanceled, candor.ReasonNotLeader, candor.ReasonShuttingDown:
	default:
		logger.Warn("step failed, it will be tried again", "step", what, "error", err)
	}
}
