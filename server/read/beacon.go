package read

import (
	"context"
	"time"
)

// beacon asks for a proof whenever the newest is an interval old, one question
// at a time, and looks at the node's condition. Reads that prove something save
// it the question.
func (r *Reader) beacon(ctx context.Context) {
	timer := time.NewTimer(r.config.Beacon)
	defer timer.Stop()
	for {
		// Taken before the look, so that no change falls between the two.
		changed := r.config.Trust.Changed()
		r.assess()
		select {
		case <-ctx.Done():
			return
		case <-changed:
			continue
		case <-timer.C:
		}
		if left := r.due(); left > 0 {
			timer.Reset(left)
			continue
		}
		r.ask(ctx)
		timer.Reset(max(r.due(), r.config.Beacon/2))
	}
}

// due is how long the newest proof is young enough. A leader asks everybody,
// where others ask one; and nobody reads there for want of a nearer node.
func (r *Reader) due() time.Duration {
	began, known := r.proofs.newest()
	if !known {
		return 0
	}
	interval := r.config.Beacon
	if r.config.Node.Observe().Leads {
		interval *= 2
	}
	return interval - r.config.Root.Elapsed(began)
}

// ask is bounded, so that a leader that is gone does not hold the next question
// up for longer than a few intervals.
func (r *Reader) ask(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, max(5*r.config.Beacon, 100*time.Millisecond))
	defer cancel()
	p, err := r.config.Root.Prove(bounded)
	if err != nil && ctx.Err() != nil {
		return
	}
	r.settle(p, err)
}

// assess looks at the condition and tells whoever watches when it is another.
func (r *Reader) assess() {
	s := serving{reader: r}
	s.look()
	r.condition.set(s.node.Condition, s.node.Applied)
}
