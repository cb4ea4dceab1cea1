package experiment

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor/bench/histogram"
	"github.com/candor-plane/candor/bench/load"
	"github.com/candor-plane/candor/bench/system"
)

// boundInterval is how often the bound is looked at: often enough that a window
// has a p99, rarely enough that the reader is no load, and no divisor of the
// intervals at which servers do things.
const boundInterval = 7 * time.Millisecond

// bounds has one reader look at how stale a follower says that it may be, while
// so many clients write.
func bounds(writers int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		reader, err := s.dialFollower(ctx, 1)
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(reader) }()
		conns, err := s.dialLeader(ctx, max(writers, 1))
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(conns) }()
		running := load.Start(ctx, s.updaters(conns, writers))
		claimed := &histogram.Histogram{}
		err = running.Wait(ctx, s.Plan.Warm)
		if err == nil {
			err = s.claim(ctx, reader[0], claimed)
		}
		if stopped := running.Stop(stopGrace); err == nil {
			err = stopped
		}
		if err != nil {
			return nil, err
		}
		return Values{p50.Name: milliseconds(claimed.Quantile(0.50)), p99.Name: milliseconds(claimed.Quantile(0.99))}, nil
	}
}

// claim records the bounds of one window.
func (s *Subject) claim(ctx context.Context, conn system.Conn, into *histogram.Histogram) error {
	ticker := time.NewTicker(boundInterval)
	defer ticker.Stop()
	for end := time.Now().Add(s.Plan.Window); time.Now().Before(end); {
		got, err := conn.Read(ctx, s.items[0], system.Bounded)
		if err != nil {
			return err
		}
		if got.Bound == nil {
			return fmt.Errorf("a bounded read of %s was answered without a bound", s.items[0].Name)
		}
		into.Record(*got.Bound)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
