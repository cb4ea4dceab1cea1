package integration

import (
	"context"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestAClusterGrowsFromThreeToFiveWhileWritesGoOn: two servers join without a
// vote and get one when they have caught up, under ten writers. Then two of the
// five are killed, one of them is removed, and the other comes back.
func TestAClusterGrowsFromThreeToFiveWhileWritesGoOn(t *testing.T) {
	c := start(t, 3)
	k := c.client()
	ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
	defer cancel()
	w := c.write(ctx, 10)
	w.goOn(ctx, t, 200)
	for range 2 {
		p := c.join()
		c.answers(ctx, k, p)
		c.wantMembers(ctx, k, len(c.servers), len(c.servers)-1)
		w.goOn(ctx, t, 50)
		c.promote(ctx, k, p)
		c.wantMembers(ctx, k, len(c.servers), len(c.servers))
		w.goOn(ctx, t, 50)
	}
	c.holds(ctx, k, w.end())
	c.sameDigests(ctx, k, c.servers...)

	w = c.write(ctx, 10)
	leader := c.leader(ctx, k)
	gone, back := leader, c.servers[4]
	if back == leader {
		back = c.servers[3]
	}
	gone.kill()
	back.kill()
	w.goOn(ctx, t, 100)
	if _, err := k.Cluster().Remove(ctx, gone.name, client.RemoveOptions{}); err != nil {
		t.Fatalf("remove %s: %v", gone.name, err)
	}
	c.wantMembers(ctx, k, 4, 4)
	w.goOn(ctx, t, 50)
	back.begin(t)
	c.answers(ctx, k, back)
	// It does not know that it was removed, and must not disturb those who do.
	gone.begin(t)
	w.goOn(ctx, t, 100)
	c.wantMembers(ctx, k, 4, 4)
	gone.kill()
	c.holds(ctx, k, w.end())
	var members []*process
	for _, p := range c.servers {
		if p != gone {
			members = append(members, p)
		}
	}
	c.sameDigests(ctx, k, members...)
}

// promote asks until the server has caught up.
func (c *cluster) promote(ctx context.Context, k *client.Client, p *process) {
	c.t.Helper()
	until(ctx, c.t, "promotion of "+p.name, func() bool {
		_, err := k.Cluster().Promote(ctx, p.name, 0)
		if reason := candor.ReasonOf(err); err != nil && reason != candor.ReasonNotCaughtUp {
			c.t.Fatalf("promote %s: %v", p.name, err)
		}
		return err == nil
	})
}

// wantMembers waits until the leader's configuration has so many members and
// voters.
func (c *cluster) wantMembers(ctx context.Context, k *client.Client, members, voters int) {
	c.t.Helper()
	var have []client.Member
	until(ctx, c.t, "the members", func() bool {
		told, err := k.Cluster().Members(ctx, client.OnEndpoint(c.leader(ctx, k).api))
		if err != nil {
			return false
		}
		have = told.Members
		return true
	})
	count := 0
	for _, m := range have {
		if m.Voter {
			count++
		}
	}
	if len(have) != members || count != voters {
		c.t.Errorf("members %+v: want %d, of which %d vote", have, members, voters)
	}
}
