package server

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
)

const (
	// transitionsKept is how long the objects of ended transitions stay, and
	// tokensKept those of expired tokens, so that a refusal can still be explained.
	transitionsKept = 7 * 24 * time.Hour
	tokensKept      = 7 * 24 * time.Hour
	// shelfPage is how many are removed at once.
	shelfPage = 100
)

// shelf is what the janitor tidies, under its tenure.
type shelf struct {
	s     *Server
	grant *coordinator.Grant
}

// Tidy removes a page of transitions and of tokens that had their time.
func (f *shelf) Tidy(ctx context.Context) (bool, error) {
	store := &janitorStore{f.s, f.grant}
	view := f.s.machine.View()
	removed := false
	if ids := view.DisposableTransitions(int64(transitionsKept), shelfPage); len(ids) > 0 {
		result, err := store.propose(ctx, command.Dispose(tenure.DutyJanitor, f.grant.Era, f.grant.Holder, int64(transitionsKept), ids...))
		if err != nil {
			return false, err
		}
		removed = result.Changed
	}
	gone := view.Policy().Expired(f.s.replica.Wall().Add(-tokensKept).UnixNano(), shelfPage)
	if len(gone) == 0 {
		return removed, nil
	}
	c := &command.Command{Type: command.TypeWrite, Actor: candor.ActorSystem, Reason: "EXPIRED", Message: "it expired " + tokensKept.String() + " ago"}
	for _, accessor := range gone {
		c.Then = append(c.Then, command.Operation{Verb: command.VerbDelete, Kind: candor.KindTokens, Name: accessor})
	}
	result, err := store.propose(ctx, c)
	return removed || result.Changed, err
}
