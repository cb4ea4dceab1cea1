package experiment

import (
	"context"

	"github.com/candor-plane/candor/bench/system"
)

var idleMetrics = []Metric{{Name: "cpu", Unit: "% core", Better: Lower}}

// idle is what one member costs when nobody asks anything.
func idle(ctx context.Context, s *Subject) (Values, error) {
	values, err := idleCluster(ctx, s)
	if err != nil {
		return nil, err
	}
	return Values{"cpu": values["cpu"] / system.Members}, nil
}

// idleCluster is what all members together cost when nobody asks anything.
func idleCluster(ctx context.Context, s *Subject) (Values, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	before, err := s.Meter.Look()
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, s.Plan.IdleWindow); err != nil {
		return nil, err
	}
	after, err := s.Meter.Look()
	if err != nil {
		return nil, err
	}
	span := after.Since(before)
	return Values{"cpu": 100 * span.Subject.Seconds() / span.Elapsed.Seconds()}, nil
}
