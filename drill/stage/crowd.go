package stage

import (
	"context"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/crowd"
)

func (s *Stage) crowd() *crowd.Crowd { return &crowd.Crowd{Dial: s.dial, Context: s.ctx} }

func (s *Stage) storm(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	bite, end, err := s.crowd().Storm(ctx, f.Count, endpoints(targets))
	if err != nil {
		return nil, err
	}
	return s.lasts(bite, end), nil
}

func (s *Stage) sleeper(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	bite, end, err := s.crowd().Sleep(ctx, f.Count, endpoints(targets))
	if err != nil {
		return nil, err
	}
	return s.lasts(bite, end), nil
}

func (s *Stage) malformed(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	seen, err := s.crowd().Malformed(ctx, f.Count, endpoints(targets))
	if err != nil {
		return nil, err
	}
	return over(seen, "malformed requests that were refused"), nil
}

func endpoints(members []*member) []string {
	var out []string
	for _, m := range members {
		out = append(out, m.server.API)
	}
	return out
}
