package cli

import (
	"context"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

// TestTheEndOfTheTimeIsNoErrorWhoeverSeesItFirst: the server counts the same time.
func TestTheEndOfTheTimeIsNoErrorWhoeverSeesItFirst(t *testing.T) {
	over := candor.Errorf(candor.ReasonTimedOut, "the deadline passed")
	soon, cancel := context.WithTimeout(t.Context(), ahead/2)
	defer cancel()
	late, stop := context.WithTimeout(t.Context(), time.Hour)
	defer stop()
	ended, end := context.WithCancel(t.Context())
	end()
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		told bool
	}{
		{"its end is near", soon, over, false},
		{"its end is far", late, over, true},
		{"it has none", t.Context(), over, true},
		{"it failed otherwise", soon, candor.Errorf(candor.ReasonUnavailable, "gone"), true},
		{"it was ended", ended, candor.Errorf(candor.ReasonCanceled, "ended"), false},
	} {
		if err := unlessOver(c.ctx, c.err); (err != nil) != c.told {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
