package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

func TestAServerJoinsIsPromotedAndAnotherRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		mustCreate(t, k, "before")
		added := c.AddServer()
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		if _, err := k.Cluster().Promote(ctx, added.Name(), 0); err != nil {
			t.Fatalf("promote: %v", err)
		}
		gone := c.Follower().Name()
		if gone == added.Name() {
			gone = c.Leader().Name()
		}
		if _, err := k.Cluster().Remove(ctx, gone, client.RemoveOptions{}); err != nil {
			t.Fatalf("remove %s: %v", gone, err)
		}
		mustCreate(t, k, "after")
		members, err := k.Cluster().Members(ctx, client.OnEndpoint(c.Leader().Name()))
		if err != nil || len(members.Members) != 3 {
			t.Fatalf("members: %v, %+v", err, members)
		}
		for _, m := range members.Members {
			if !m.Voter || m.Name == gone {
				t.Errorf("member %+v", m)
			}
		}
	})
}

// TestASessionReadsItsOwnWritesOnEveryServer writes through a follower's
// endpoint and reads at once from each server.
func TestASessionReadsItsOwnWritesOnEveryServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t, c.Follower().Name())
		for _, name := range []string{"one", "two", "three"} {
			made := mustCreate(t, k, name)
			for _, s := range c.Servers() {
				ctx, cancel := within(5 * time.Second)
				o, w, err := k.Get(ctx, refOf(name), client.OnEndpoint(s.Name()), client.WithFreshness(candor.FreshnessBestEffort))
				cancel()
				if err != nil || o.Metadata.ResourceVersion != made.Object.Metadata.ResourceVersion || !w.ServedToken.Covers(made.Token) {
					t.Errorf("%s on %s: %v, served %s after %s", name, s.Name(), err, w.ServedToken, made.Token)
				}
			}
		}
	})
}
