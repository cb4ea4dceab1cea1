package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestAcknowledgedWritesSurviveKilledServers: ten writers create objects while
// servers are killed, the leader every other time. What was acknowledged is
// there at its revision; watchers that entered by each server, and two that see
// a part, saw it once and in order; then again after all servers were killed at
// once.
func TestAcknowledgedWritesSurviveKilledServers(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 6
	}
	c := start(t, 3)
	k := c.client()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	create(ctx, t, k, "beat")
	entries, mine, beat := c.watch(ctx, k)
	w := c.write(ctx, 10)
	for i := range kills {
		victim := c.servers[i%len(c.servers)]
		if i%2 == 0 {
			victim = c.leader(ctx, k)
		}
		victim.kill()
		beats(ctx, t, k, fmt.Sprint(i))
		victim.begin(t)
		c.answers(ctx, k, victim)
	}
	acked := w.end()
	beats(ctx, t, k, "last")
	final := object("last")
	final.Metadata.Labels = map[string]string{"writer": "w3"}
	if _, err := k.Create(ctx, final); err != nil {
		t.Fatal(err)
	}
	all := inOrder(t, entries[0], acked)
	for _, e := range entries {
		e.saw(t, all, func(candor.Event) bool { return true })
	}
	mine.saw(t, all, func(e candor.Event) bool { return e.Object.Metadata.Labels["writer"] == "w3" })
	beat.saw(t, all, func(e candor.Event) bool { return e.Object.Metadata.Name == "beat" })
	c.holds(ctx, k, acked)
	for _, p := range c.servers {
		p.kill()
	}
	c.begin()
	c.holds(ctx, k, acked)
	c.sameDigests(ctx, k, c.servers...)
	t.Logf("%d kills, %d acknowledged writes, %d events", kills, len(acked), len(all))
}

// watch begins a watcher by way of each server, one of a writer's objects and
// one of a single object.
func (c *cluster) watch(ctx context.Context, k *client.Client) (entries []*watcher, mine, beat *watcher) {
	c.t.Helper()
	last := func(e candor.Event) bool { return e.Object.Metadata.Name == "last" }
	for _, p := range c.servers {
		entries = append(entries, follow(ctx, c.t, "by "+p.name, connect(c.t, p.api), client.WatchOptions{}, last))
	}
	mine = follow(ctx, c.t, "of writer w3", k, client.WatchOptions{Selector: "writer=w3"}, last)
	beat = follow(ctx, c.t, "of object beat", k, client.WatchOptions{Name: "beat"}, func(e candor.Event) bool {
		return e.Object.Metadata.Labels["tick"] == "last"
	})
	return entries, mine, beat
}

// beats changes the one object that a watcher watches alone.
func beats(ctx context.Context, t *testing.T, k *client.Client, tick string) {
	t.Helper()
	o := object("beat")
	o.Metadata.Labels = map[string]string{"tick": tick}
	if _, err := k.Update(ctx, o); err != nil {
		t.Fatal(err)
	}
}

// inOrder is what a watcher of everything saw: revisions only rise, so that
// nothing came twice, and each acknowledged object came at its revision.
func inOrder(t *testing.T, w *watcher, acked map[string]uint64) []candor.Event {
	t.Helper()
	<-w.done
	seen, newest := map[string]uint64{}, uint64(0)
	for _, e := range w.events {
		if e.Revision <= newest {
			t.Errorf("watcher %s: event of %s at %d after one at %d", w.name, e.Object.Metadata.Name, e.Revision, newest)
		}
		seen[e.Object.Metadata.Name], newest = e.Revision, e.Revision
	}
	for name, revision := range acked {
		if seen[name] != revision {
			t.Errorf("%s acknowledged at %d: watched at %d", name, revision, seen[name])
		}
	}
	return w.events
}
