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

// writePast updates one object until the leader's log begins after index.
func writePast(t *testing.T, c *servertest.Cluster, k *client.Client, name string, index uint64) client.Result {
	t.Helper()
	var last client.Result
	for i := 0; c.Leader().Replica().Status().FirstIndex <= index+1; i++ {
		if i == 20_000 {
			t.Fatalf("the leader's log still begins at %d", c.Leader().Replica().Status().FirstIndex)
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

// wantInstalled fails unless the server's state jumped: it applied no entry next
// to what it had.
func wantInstalled(t *testing.T, s *server.Server, had uint64) {
	t.Helper()
	if applied := s.Machine().Digests(had + 1); len(applied) > 0 && applied[0].Index == had+1 {
		t.Errorf("%s had %d and applied %d from the log", s.Name(), had, had+1)
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
		c.Isolate(behind.Name())
		had := behind.Machine().View().Token()
		if _, err := k.Delete(t.Context(), refOf("gone")); err != nil {
			t.Fatal(err)
		}
		last := writePast(t, c, k, "kept", had.Index)
		if now := behind.Machine().View().Token(); now != had {
			t.Fatalf("the isolated follower moved from %s to %s", had, now)
		}
		c.Heal()
		served := had
		c.Until("the follower has caught up", func() bool {
			now := behind.Machine().View().Token()
			if !now.Covers(served) {
				t.Fatalf("the follower's view went back from %s to %s", served, now)
			}
			served = now
			return now.Covers(last.Token)
		})
		wantInstalled(t, behind, had.Index)
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
		c.Isolate(behind.Name())
		had := behind.Machine().View().Token()
		last := writePast(t, c, k, "kept", had.Index).Object.Metadata.ResourceVersion
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
		wantInstalled(t, behind, had.Index)
	})
}

// TestAServerThatJoinsWhenTheLogIsCutGetsASnapshot, and votes with it.
func TestAServerThatJoinsWhenTheLogIsCutGetsASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, shortLogs())
		k := c.Client(t)
		mustCreate(t, k, "kept")
		last := writePast(t, c, k, "kept", c.Leader().Machine().View().Token().Index)
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
