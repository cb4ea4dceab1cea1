package worker

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// Follower is told what the instances are that a selector matches, by one goroutine.
type Follower interface {
	// Reset: these are all there are.
	Reset(instances []*candor.Object)
	// Changed: the instance is so now. Gone: it is not there any more, or not matched.
	Changed(instance *candor.Object)
	Gone(instance *candor.Object)
}

// Follow lists the instances that the selector matches and tells what becomes of them,
// until ctx ends. It goes on over the death of servers; while nobody answers nothing
// is told, which says nothing of the instances.
func Follow(ctx context.Context, instances Instances, selector string, to Follower, logger hclog.Logger) {
	if instances == nil || to == nil || logger == nil {
		panic("worker: to follow takes instances, whom to tell, and a logger")
	}
	pause := backoff{first: 100 * time.Millisecond, last: 5 * time.Second}
	for ctx.Err() == nil {
		err := follow(ctx, instances, selector, to, &pause)
		if ctx.Err() != nil {
			return
		}
		if candor.ReasonOf(err) != candor.ReasonCompacted {
			logger.Warn("instances are not followed, and will be again", "error", err)
		}
		rest(ctx, pause.grow())
	}
}

// follow returns the error that ended it.
func follow(ctx context.Context, feed Feed, selector string, to Follower, pause *backoff) error {
	var all []*candor.Object
	var revision uint64
	for after := ""; ; {
		page, err := feed.List(ctx, selector, after)
		if err != nil {
			return err
		}
		all, revision = append(all, page.Objects...), page.Revision
		if after = page.Continue; after == "" {
			break
		}
	}
	to.Reset(all)
	watch, err := feed.Watch(ctx, selector, revision)
	if err != nil {
		return err
	}
	defer watch.Close()
	for {
		batch, err := watch.Next(ctx)
		if err != nil {
			return err
		}
		pause.reset()
		for _, e := range batch.Events {
			if e.Type == candor.EventDeleted {
				to.Gone(e.Object)
				continue
			}
			to.Changed(e.Object)
		}
	}
}
