package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// TestAControllerThatLostItsTenureWritesNothing: what it writes names the era that it
// thinks it has, and the root knows better.
func TestAControllerThatLostItsTenureWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		ana := c.Client(t)
		control := ana.Control("shop")
		l, err := control.Campaign(t.Context(), client.Candidate{Candidacy: "first", Duration: time.Minute})
		noError(t, err)
		fenced := client.WithTenure(control.Duty(), l.Current.Number)
		_, err = ana.Create(t.Context(), namespace("one"), fenced)
		noError(t, err)
		_, err = ana.Create(t.Context(), namespace("early"), client.WithTenure(control.Duty(), l.Current.Number+1))
		wantReason(t, err, candor.ReasonNotFound)
		_, err = control.Seal(t.Context(), l.Current.Number, client.Frontiers{}, "")
		noError(t, err)
		before := c.Leader().Machine().View().Token().Revision
		_, err = ana.Create(t.Context(), namespace("late"), fenced)
		wantReason(t, err, candor.ReasonEraStale)
		if after := c.Leader().Machine().View().Token().Revision; after != before {
			t.Errorf("a write of a sealed era made revision %d", after)
		}
	})
}
