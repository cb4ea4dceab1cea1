package servertest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
)

// One test for each mistake of docs/protocol.md, section 14, that concerns reads;
// each is named for what is so here instead.

// A token made of a counter local to a process: leader and follower disagree at
// one position.
func TestMistakeATokenOfALocalCounter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, shortLogs(), servertest.WithData(t.TempDir()))
		k := c.Client(t)
		mustCreate(t, k, "kept")
		tokens := map[uint64]candor.Token{}
		compared, answered := 0, map[string]bool{}
		look := func() {
			t.Helper()
			for _, r := range readersOf(t, c) {
				for _, read := range []*candorv1.ReadOptions{weak(), anywhere()} {
					w, err := r.get(t, read, time.Second)
					if err != nil {
						continue
					}
					answered[w.NodeName+w.BootID] = true
					known, seen := tokens[w.ServedToken.Index]
					if tokens[w.ServedToken.Index] = w.ServedToken; seen {
						compared++
					}
					if seen && known != w.ServedToken {
						t.Errorf("%s serves %s, and another served %s", w.NodeName, w.ServedToken, known)
					}
				}
			}
		}
		look()
		// One that was killed and starts again, and one that gets a snapshot.
		again := c.Follower().Name()
		c.Kill(again)
		at := writePast(t, c, k, "kept", c.Leader().Machine().View().Token().Index, nil).Token
		look()
		c.Restart(again)
		c.AddServer()
		for i := range 5 {
			mustCreate(t, k, fmt.Sprintf("later-%d", i))
			look()
		}
		c.Until("all have what was written", func() bool {
			for _, s := range c.Servers() {
				if !s.Machine().View().Token().Covers(at) {
					return false
				}
			}
			return true
		})
		wantEqualStates(t, c)
		look()
		if compared < 8 || len(answered) < 5 {
			t.Errorf("%d tokens were compared, of %d boots", compared, len(answered))
		}
	})
}

// Lag 0 reported by a follower that has heard nothing.
func TestMistakeLagOfNothingByAFollowerThatHeardNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithData(t.TempDir()))
		deaf := c.Follower()
		mustCreate(t, c.Client(t), "one")
		c.Until("it has it", func() bool { return deaf.Machine().View().Token().Revision > 1 })
		if err := deaf.Replica().Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Kill(deaf.Name())
		c.Isolate(deaf.Name())
		r := readerOf(t, c, c.Restart(deaf.Name()))
		for range 30 {
			w := r.served(t, weak())
			if w.RootLag != nil || w.StalenessBound != nil || w.CurrentToken != nil || w.Class != candor.ServingDegraded || w.SyncHealth != "UNPROVEN" {
				t.Errorf("it has heard nobody since its start, and claims %+v", w)
			}
			if told := r.freshness(t); told.RootLag != nil || told.GetProofAge() != nil {
				t.Errorf("in diagnostics it claims %+v", told)
			}
			if _, err := r.get(t, lagging(1<<40), time.Second); err == nil {
				t.Error("it serves a bounded read")
			}
			time.Sleep(100 * time.Millisecond)
		}
		c.Heal()
	})
}

// STRONG served by an isolated node for seconds.
func TestMistakeStrongByAnIsolatedNode(t *testing.T) {
	for _, role := range []string{"leader", "follower"} {
		t.Run(role, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := servertest.Start(t, servertest.WithSettings(func(s *replica.Settings) {
					longLease(s)
					s.Heartbeat, s.Election, s.LeaderLease = 3*time.Second, 3*time.Second, 3*time.Second
				}))
				mustCreate(t, c.Client(t), "one")
				alone := c.Leader()
				if role == "follower" {
					alone = c.Follower()
				}
				r := readerOf(t, c, alone)
				r.served(t, anywhere())
				c.Isolate(alone.Name())
				since := time.Now()
				for time.Since(since) < 10*time.Second {
					for _, read := range []*candorv1.ReadOptions{strong(), anywhere()} {
						if w, err := r.get(t, read, 200*time.Millisecond); err == nil {
							t.Fatalf("%s after it was cut off: %+v", time.Since(since), w)
						}
					}
				}
				c.Heal()
				c.Until("it serves again", func() bool {
					_, err := r.get(t, anywhere(), time.Second)
					return err == nil
				})
			})
		})
	}
}

// served_by_leader that means "my client is not nil".
func TestMistakeServedByALeaderThatIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithSettings(longLease))
		k := c.Client(t)
		mustCreate(t, k, "one")
		leads := func(r *reader) bool { return r.server.Replica().Status().Role == "Leader" }
		said := 0
		for i := range 6 {
			for _, r := range readersOf(t, c) {
				for _, read := range []*candorv1.ReadOptions{strong(), anywhere(), bounded(time.Second), weak(), lagging(0)} {
					w, _ := r.get(t, read, time.Second)
					if w != nil && w.ServedByLeader {
						said++
						if !leads(r) {
							t.Errorf("%s does not lead: %+v", r.server.Name(), w)
						}
					}
				}
				// A write that a follower passed on is not its own.
				var out *candorv1.CreateResponse
				c.Until("whoever leads is known here", func() bool {
					ctx, cancel := within(5 * time.Second)
					defer cancel()
					var err error
					out, err = r.api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(namespace(fmt.Sprintf("%s-%d", r.server.Name(), i)))})
					if err != nil {
						wantReason(t, convert.ErrorFromStatus(err), candor.ReasonNotLeader)
					}
					return err == nil
				})
				if w := out.GetResult().GetWitness(); w.GetServedByLeader() != leads(r) {
					t.Errorf("%s: leads %v, %+v", r.server.Name(), leads(r), w)
				}
			}
			ctx, cancel := within(20 * time.Second)
			if _, err := k.Cluster().TransferLeader(ctx, ""); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
		if said < 8 {
			t.Errorf("it was said %d times", said)
		}
		old := c.Leader()
		c.Isolate(old.Name())
		c.Leader(old.Name())
		r := readerOf(t, c, old)
		for range 20 {
			for _, read := range []*candorv1.ReadOptions{strong(), bounded(time.Hour), weak()} {
				if w, _ := r.get(t, read, time.Second); w != nil && w.ServedByLeader {
					t.Errorf("replaced, it says %+v", w)
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
		c.Heal()
	})
}

// A read right after an acknowledged write answers NotFound on the same node.
func TestMistakeAReadAfterAnAcknowledgedWriteMissesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader := c.Leader()
		time.Sleep(time.Second)
		for _, s := range without(c, leader) {
			c.Slow(leader.Name(), s.Name(), 30*time.Millisecond)
		}
		for _, r := range readersOf(t, c) {
			for i, read := range []*candorv1.ReadOptions{weak(), bounded(time.Second), anywhere()} {
				name := fmt.Sprintf("%s-%d", r.server.Name(), i)
				ctx, cancel := within(10 * time.Second)
				if _, err := r.api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(namespace(name))}); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if _, err := r.api.Get(ctx, &candorv1.GetRequest{Kind: string(candor.KindNamespaces), Name: name, Read: read}); err != nil {
					t.Errorf("%s, read %v at once: %v", name, read, err)
				}
				cancel()
			}
		}
	})
}

// Leadership kept as a bool: lost and regained between two looks, reads go
// before the new barrier.
func TestMistakeLeadershipLostAndRegainedBetweenTwoLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		var known ledger
		k := c.Client(t)
		known.acknowledged(mustCreate(t, k, "one").Token)
		a, b := c.Leader(), c.Follower()
		r := readerOf(t, c, a)
		done, terms := make(chan struct{}), map[uint64]bool{}
		var served int
		go func() {
			defer close(done)
			for i := range 8 {
				to := []string{b.Name(), a.Name()}[i%2]
				ctx, cancel := within(20 * time.Second)
				if _, err := k.Cluster().TransferLeader(ctx, to); err != nil {
					t.Errorf("to %s: %v", to, err)
				}
				cancel()
				// What the other one acknowledged as the leader.
				known.acknowledged(mustCreate(t, k, fmt.Sprintf("n-%d", i)).Token)
				time.Sleep(5 * time.Millisecond)
			}
		}()
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			default:
			}
			asked := time.Now()
			if w, err := r.get(t, strong(), time.Second); err == nil {
				known.honest(t, w, asked)
				served++
				terms[w.ServedToken.Term] = true
			}
			time.Sleep(time.Millisecond)
		}
		if served < 10 || len(terms) < 3 {
			t.Errorf("%d reads were served in %d terms", served, len(terms))
		}
	})
}

// Waiting for an applied index that only a barrier or noop reached: hangs on an
// idle cluster.
func TestMistakeAnIdleClusterHangsOnAnEntryThatIsNotApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		prompt := func(when string) {
			t.Helper()
			for _, r := range readersOf(t, c) {
				began := time.Now()
				w := r.served(t, anywhere())
				r.served(t, requiring(weak(), w.ServedToken))
				r.served(t, requiring(bounded(time.Second), w.ServedToken))
				if took := time.Since(began); took > 250*time.Millisecond {
					t.Errorf("%s, %s answers after %s", when, r.server.Name(), took)
				}
			}
		}
		prompt("at the start")
		c.Leader()
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		if _, err := k.Cluster().TransferLeader(ctx, ""); err != nil {
			t.Fatal(err)
		}
		c.Until("one leads", func() bool { return c.Leader().Replica().Leading() })
		time.Sleep(time.Second)
		prompt("after an election")
		added := c.AddServer()
		time.Sleep(time.Second)
		prompt("after a configuration")
		if _, err := k.Cluster().Promote(ctx, added.Name(), 0); err != nil {
			t.Fatal(err)
		}
		prompt("at once after a configuration")
		if _, err := k.Cluster().Remove(ctx, added.Name(), client.RemoveOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Stop(added.Name())
		prompt("after a removal")
	})
}

// A lag bound without an age bound: a cut-off follower serves max_root_lag=0 for
// ever.
func TestMistakeALagBoundWithoutAnAgeBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		cut := c.Follower()
		mustCreate(t, c.Client(t), "one")
		r := readerOf(t, c, cut)
		none := func() *candorv1.ReadOptions {
			entries := uint64(0)
			return &candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BOUNDED, MaxRootLag: &entries}
		}
		time.Sleep(time.Second)
		r.served(t, none())
		c.Isolate(cut.Name())
		since := time.Now()
		mustCreate(t, c.Client(t, names(without(c, cut))...), "two")
		last := since
		for time.Since(since) < 10*time.Second {
			asked := time.Now()
			if w, err := r.get(t, none(), 3*time.Second); err == nil {
				last = asked
				if w.StalenessBound == nil || *w.StalenessBound > time.Second {
					t.Errorf("served with %+v", w)
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
		if after := last.Sub(since); after > time.Second {
			t.Errorf("lag 0 was served %s after the cut", after)
		}
		if w := r.served(t, weak()); w.RootLag == nil || *w.RootLag != 0 || w.SyncHealth != "UNPROVEN" || w.Class != candor.ServingDegraded {
			t.Errorf("what it knows is old, and it says %+v", w)
		}
		c.Heal()
	})
}
