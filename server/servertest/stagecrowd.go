package servertest

import (
	"context"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/crowd"
)

func (st *Stage) crowd() *crowd.Crowd { return &crowd.Crowd{Dial: st.c.Dialer(), Context: st.ctx} }

func (st *Stage) storms(ctx context.Context, f *scenario.Fault, targets []string) (injection, error) {
	return crowded(st.crowd().Storm(ctx, f.Count, targets))
}

func (st *Stage) sleeps(ctx context.Context, f *scenario.Fault, targets []string) (injection, error) {
	return crowded(st.crowd().Sleep(ctx, f.Count, targets))
}

func crowded(bite func() drill.Bite, end crowd.Ending, err error) (injection, error) {
	if err != nil {
		return injection{}, err
	}
	return injection{what: bite().What, seen: func() int { return bite().Seen }, heal: end}, nil
}

func (st *Stage) malforms(ctx context.Context, f *scenario.Fault, targets []string) (injection, error) {
	seen, err := st.crowd().Malformed(ctx, f.Count, targets)
	return done("malformed requests that were refused", seen), err
}
