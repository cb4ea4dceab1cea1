package gossip

import (
	"context"
	"time"
)

// publish announces changed hints until ctx ends: a new leader or term at once,
// anything else at most once per HintInterval, always the newest values.
func (g *Gossip) publish(ctx context.Context) {
	sent, sentAt := *g.wanted.Load(), g.startedAt
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.hintWake:
		}
		for want := *g.wanted.Load(); want != sent; want = *g.wanted.Load() {
			wait := g.cfg.Profile.HintInterval - time.Since(sentAt)
			if wait > 0 && !want.urgent(sent) {
				if !g.pause(ctx, wait) {
					return
				}
				continue
			}
			if err := g.setMeta(Meta{Identity: g.cfg.Identity, Hints: want}); err != nil {
				g.log.Error("hints cannot be announced", "error", err)
				break
			}
			// The message is queued before UpdateNode waits for it to be passed
			// on, and that wait is its only error; nobody here needs it.
			_ = g.list.UpdateNode(time.Nanosecond)
			sent, sentAt = want, time.Now()
			g.hintsPublished.Add(1)
		}
	}
}

// pause waits, at most until hints change again; false when ctx ended.
func (g *Gossip) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-g.hintWake:
	case <-timer.C:
	}
	return true
}

// setMeta replaces what NodeMeta will answer.
func (g *Gossip) setMeta(m Meta) error {
	encoded, err := encodeMeta(m)
	if err != nil {
		return err
	}
	g.delegate.announced.Store(&encoded)
	return nil
}
