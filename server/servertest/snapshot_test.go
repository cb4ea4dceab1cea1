package servertest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
)

// shortLogs makes the servers cut their logs early, and send nothing from memory
// that the log has no more.
func shortLogs() servertest.Option {
	return servertest.WithSettings(func(s *replica.Settings) {
		s.SnapshotBytes, s.SnapshotInterval = 8<<10, 100*time.Millisecond
		s.TrailingBytes, s.TrailingEntries, s.LogCacheBytes = 1, 1, 1
	})
}

// isolate cuts a server off, waits for what was on its way to it, and returns
// the last index of its log.
func isolate(c *servertest.Cluster, s *server.Server) uint64 {
	c.Isolate(s.Name())
	time.Sleep(100 * time.Millisecond)
	return s.Replica().Status().LastIndex
}

// writePast updates one object until the logs of all servers, but the one that is
// cut off, begin after index.
func writePast(t *testing.T, c *servertest.Cluster, k *client.Client, name string, index uint64, off *server.Server) client.Result {
	t.Helper()
	kept := func() bool {
		for _, s := range c.Servers() {
			if s != off && s.Replica().Status().FirstIndex <= index+1 {
				return true
			}
		}
		return false
	}
	var last client.Result
	for i := 0; kept(); i++ {
		if i == 20_000 {
			t.Fatalf("the logs still hold %d", index+1)
		}
		o := namespace(name)
		o.Metadata.Labels = map[string]string{"n": fmt.Sprint(i)}
		ctx, cancel := within(20 * time.Second)
		result, err := k.Update(ctx, o)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		last = result
		time.Sleep(time.Millisecond)
	}
	return last
}

// wantInstalled fails unless the server's state jumped: a digest is kept of every
// entry that was applied, and of none that came with a snapshot.
func wantInstalled(t *testing.T, s *server.Server, had uint64) {
	t.Helper()
	next := had + 1
	for _, d := range s.Machine().Digests(next) {
		if d.Index != next {
			return
		}
		next++
	}
	if now := s.Machine().View().Token().Index; now < next {
		t.Errorf("%s had %d and applied every entry up to %d", s.Name(), had, now)
	}
}

// TestAFollowerThatFellBehindTheLogInstallsASnapshot: what it misses is in no
// log any more. What it serves meanwhile and after never goes back, and it says
// whose state it serves.
func TestAFollowerThatFellBehindTheLogInstallsASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, shortLogs())
		k := c.Client(t)
		mustCreate(t, k, "kept")
		mustCreate(t, k, "gone")
		behind := c.Follower()
		c.Until("the follower has both", func() bool { return behind.Machine().View().Live(candor.KindNamespaces) == 3 })
		had := isolate(c, behind)
		if _, err := k.Delete(t.Context(), refOf("gone")); err != nil {
			t.Fatal(err)
		}
		last := writePast(t, c, k, "kept", had, behind)
		if now := behind.Replica().Status().LastIndex; now != had {
			t.Fatalf("the isolated follower's log grew from %d to %d", had, now)
		}
		c.Heal()
		served := behind.Machine().View().Token()
		c.Until("the follower has caught up", func() bool {
			now := behind.Machine().View().Token()
			if !now.Covers(served) {
				t.Fatalf("the follower's view went back from %s to %s", served, now)
			}
			served = now
			return now.Covers(last.Token)
		})
		wantInstalled(t, behind, had)
		local := []client.ReadOption{client.OnEndpoint(behind.Name()), client.WithFreshness(candor.FreshnessBestEffort)}
		o, w, err := k.Get(t.Context(), refOf("kept"), local...)
		if err != nil || o.Metadata.ResourceVersion != last.Object.Metadata.ResourceVersion || w.NodeName != behind.Name() {
			t.Errorf("after the snapshot: %+v from %s, %v", o, w.NodeName, err)
		}
		_, _, err = k.Get(t.Context(), refOf("gone"), local...)
		wantReason(t, err, candor.ReasonNotFound)
		wantEqualStates(t, c)

		// It is worth as much as any other voter.
		c.Kill(c.Leader().Name())
		mustCreate(t, k, "later")
		wantEqualStates(t, c)
	})
}

// TestAWatchOnAFollowerThatInstallsASnapshotMissesNothing: the events that the
// snapshot brings are delivered as those of the log are.
func TestAWatchOnAFollowerThatInstallsASnapshotMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, shortLogs())
		k := c.Client(t)
		first := mustCreate(t, k, "kept").Object.Metadata.ResourceVersion
		behind := c.Follower()
		c.Until("the follower has it", func() bool { return behind.Machine().View().Token().Revision >= first })
		ctx, cancel := within(5 * time.Minute)
		defer cancel()
		watch, err := c.Client(t, behind.Name()).Watch(ctx, client.WatchOptions{Kind: candor.KindNamespaces, AfterRevision: first})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		had := isolate(c, behind)
		last := writePast(t, c, k, "kept", had, behind).Object.Metadata.ResourceVersion
		c.Heal()
		for next := first + 1; next <= last; {
			batch, err := watch.Next(ctx)
			if err != nil {
				t.Fatalf("at revision %d of %d: %v", next, last, err)
			}
			for _, e := range batch.Events {
				if e.Revision != next {
					t.Fatalf("event of revision %d where %d was due", e.Revision, next)
				}
				next++
			}
		}
		c.Until("the follower has caught up", func() bool { return behind.Machine().View().Token().Revision >= last })
		wantInstalled(t, behind, had)
	})
}

// TestAServerThatJoinsWhenTheLogIsCutGetsASnapshot, and votes with it.
func TestAServerThatJoinsWhenTheLogIsCutGetsASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, shortLogs())
		k := c.Client(t)
		mustCreate(t, k, "kept")
		last := writePast(t, c, k, "kept", c.Leader().Machine().View().Token().Index, nil)
		added := c.AddServer()
		c.Until("the new server has everything", func() bool { return added.Machine().View().Token().Covers(last.Token) })
		wantInstalled(t, added, 0)
		wantEqualStates(t, c)
		if added.Replica().IsVoter() {
			t.Error("a server votes before it was promoted")
		}
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		if _, err := k.Cluster().Promote(ctx, added.Name(), 0); err != nil {
			t.Fatal(err)
		}
		// Of four, three are a majority: one of the old may go.
		c.Kill(c.Leader().Name())
		mustCreate(t, k, "later")
		o, _, err := k.Get(ctx, refOf("kept"))
		if err != nil || o.Metadata.ResourceVersion != last.Object.Metadata.ResourceVersion {
			t.Errorf("after a majority of old and new: %+v, %v", o, err)
		}
		wantEqualStates(t, c)
	})
}
