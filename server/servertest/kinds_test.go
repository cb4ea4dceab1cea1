package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

// TestOfTwoKindsThatDeclareOneTypeOneWins declares one type by two Kind objects,
// the second through a follower that cannot know of the first: what it validates
// before the log passes, and the turn decides.
func TestOfTwoKindsThatDeclareOneTypeOneWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader, behind := c.Leader(), c.Follower()
		at := func(s string) *client.Client { return c.Client(t, s) }
		slow := candorv1.NewObjectServiceClient(dial(t, c, behind.Name()))
		mustForward(t, slow, namespace("warm"))

		c.Cut(leader.Name(), behind.Name())
		must(t, at(leader.Name()), kindOf("widgets", "Widget"))
		second := make(chan error, 1)
		go func() {
			ctx, cancel := within(20 * time.Second)
			defer cancel()
			_, err := slow.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(kindOf("widgetry", "Widget"))})
			second <- convert.ErrorFromStatus(err)
		}()
		time.Sleep(100 * time.Millisecond)
		if behind.Machine().View().Touched(candor.KindKinds) != 1 {
			t.Fatal("the follower knows of the first kind")
		}
		c.Heal()
		// CONFLICT is the turn's word; validated again, the same is INVALID.
		wantReason(t, <-second, candor.ReasonConflict, candor.ReasonInvalid)
		for i, s := range c.Servers() {
			name := string(rune('a' + i))
			c.Until("the server knows the kinds", func() bool { return s.Machine().View().Token() == leader.Machine().View().Token() })
			must(t, at(s.Name()), widget("default", name))
			if _, _, err := at(s.Name()).Get(t.Context(), widgetRef("default", name)); err != nil {
				t.Errorf("%s stored a Widget elsewhere than in the kind that won: %v", s.Name(), err)
			}
		}
		builtIn := fsm.New(fsm.Config{}).View().Live(candor.KindKinds)
		if n := leader.Machine().View().Live(candor.KindKinds); n != builtIn+1 {
			t.Errorf("%d kinds live, want those that are built in and one", n)
		}
		// One that knows better is refused everywhere.
		for _, s := range c.Servers() {
			_, err := at(s.Name()).Create(t.Context(), kindOf("widgetlate", "Widget"))
			wantReason(t, err, candor.ReasonInvalid)
		}
		wantEqualStates(t, c)
	})
}

func mustForward(t *testing.T, api candorv1.ObjectServiceClient, o *candor.Object) {
	t.Helper()
	if _, err := api.Create(t.Context(), &candorv1.CreateRequest{Object: convert.ObjectToProto(o)}); err != nil {
		t.Fatal(err)
	}
}
