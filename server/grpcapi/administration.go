package grpcapi

import (
	"context"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
)

// authorize has the root judge what no turn does by itself, so that a right that
// was taken away does not count, whatever this node knew of it.
func authorize(ctx context.Context, machine *fsm.Machine, proposer Proposer, ask policy.Ask) error {
	if machine.View().AccessEpoch() == 0 {
		return nil
	}
	return carryOut(ctx, proposer, &command.Command{Type: command.TypeWrite, Asks: []policy.Ask{ask}})
}

// carryOut puts the caller's command through the log.
func carryOut(ctx context.Context, proposer Proposer, c *command.Command) error {
	p := PrincipalOf(ctx)
	c.Actor, c.Verified, c.Accessor = p.Actor, p.Verified(), p.Accessor
	if err := checkActor(c.Actor); err != nil {
		return err
	}
	result, err := proposer.Propose(ctx, c, 0)
	if err != nil {
		return err
	}
	if err := result.Err(); err != nil {
		return &decided{err}
	}
	return nil
}
