package grpcapi

import (
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// TestAnActorIsANameThatVersionsCanCarry: it is in the cause of every version
// that it makes. One that no answer can carry would make objects unreadable.
func TestAnActorIsANameThatVersionsCanCarry(t *testing.T) {
	for _, actor := range []string{"\xff", "a\xc3", "zoé", "a\nb", "a\x00", "\x7f", strings.Repeat("a", candor.MaxActorBytes+1)} {
		ctx := withPrincipal(t.Context(), candor.Principal{Actor: actor})
		if c, err := new(Objects).command(ctx, nil, 0); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("actor %q: %+v, %v", actor, c, err)
		}
		if err := carryOut(ctx, nil, command.Compact(1)); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("actor %q compacts: %v", actor, err)
		}
	}
	for _, actor := range []string{"ana", "system:node n1 <x@y>"} {
		if c, err := new(Objects).command(withPrincipal(t.Context(), candor.Principal{Actor: actor}), nil, 0); err != nil || c.Actor != actor || c.Verified {
			t.Errorf("actor %q: %+v, %v", actor, c, err)
		}
	}
	if c, err := new(Objects).command(t.Context(), nil, 0); err != nil || c.Actor != "anonymous" {
		t.Errorf("no actor: %+v, %v", c, err)
	}
}
