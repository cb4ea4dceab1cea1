package main

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// group names the duty, control/websites. Of all that campaign for it, one holds it.
const group = "websites"

// tenure is how this program goes about its duty.
type tenure struct {
	client  *client.Client
	control *client.Control
	logger  hclog.Logger
	// lasts is how long an era lasts without renewal: so long after this program died
	// another one takes over.
	lasts time.Duration
}

// hold has act run under one era after another, whenever this program holds the duty,
// until ctx ends.
func (t *tenure) hold(ctx context.Context, act func(ctx context.Context, era uint64) error) {
	for ctx.Err() == nil {
		won, err := t.campaign(ctx)
		if err != nil {
			t.logger.Debug("the duty is not ours", "error", err)
			wait(ctx, t.lasts/4)
			continue
		}
		era := won.Current.Number
		t.logger.Info("tenure begins", "duty", won.Duty, "era", era)
		t.under(ctx, era, act)
	}
}

// campaign asks for the next era, and ends the handover of those before it.
func (t *tenure) campaign(ctx context.Context) (*client.Tenure, error) {
	ask := client.Candidate{Candidacy: uuid.NewString(), Duration: t.lasts}
	known, err := t.client.Tenures(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range known.Tenures {
		if k.Duty != t.control.Duty() || k.Current == nil {
			continue
		}
		ask.Expect, ask.Cite = k.Current.Number, k.Current.Seal
		if k.Current.Usage != nil {
			ask.Start = *k.Current.Usage
		}
	}
	won, err := t.control.Campaign(ctx, ask)
	if err != nil {
		return nil, err
	}
	// This controller hands out nothing that the next era must not hand out again, so
	// there is nothing to wait for.
	for len(won.Unfinished) > 0 {
		era, oldest := won.Current.Number, won.Unfinished[0]
		if oldest.State == "CONFIRMED" {
			won, err = t.control.Close(ctx, era, oldest.Number)
		} else {
			won, err = t.control.Confirm(ctx, era, oldest.Number, oldest.Seal)
		}
		if err != nil {
			return nil, err
		}
	}
	return won, nil
}

// under has act run under an era and renews it, until ctx or the era ends. Then it
// seals the era, so that others follow at once.
func (t *tenure) under(ctx context.Context, era uint64, act func(ctx context.Context, era uint64) error) {
	acting, cancel := context.WithCancel(ctx)
	defer cancel()
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer cancel()
		t.renew(acting, era)
	})
	if err := act(acting, era); err != nil {
		t.logger.Warn("the controllers ended", "era", era, "error", err)
	}
	cancel()
	renewing.Wait()
	sealing, done := context.WithTimeout(context.WithoutCancel(ctx), t.lasts)
	defer done()
	if _, err := t.control.Seal(sealing, era, client.Frontiers{}, ""); err != nil {
		t.logger.Info("not sealed: it expires", "era", era, "error", err)
	}
}

// renew returns when ctx or the era has ended. A renewal that fails otherwise is tried
// again: that an era is over is the root's to say, and the root refuses its writes.
func (t *tenure) renew(ctx context.Context, era uint64) {
	for wait(ctx, t.lasts/3); ctx.Err() == nil; wait(ctx, t.lasts/3) {
		_, err := t.control.Renew(ctx, era)
		if reason := candor.ReasonOf(err); reason == candor.ReasonEraStale || reason == candor.ReasonForbidden {
			t.logger.Info("tenure ended", "era", era, "error", err)
			return
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
