package servertest_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// admissions are the server's counters, by class and reason.
func admissions(s *server.Server) map[string]uint64 {
	counts := map[string]uint64{}
	for _, a := range s.Replica().Status().Admissions {
		counts[string(a.Class)+" "+string(a.Reason)] = a.Count
	}
	return counts
}

// counted is by how much the counters grew while do ran.
func counted(s *server.Server, do func()) map[string]uint64 {
	before := admissions(s)
	do()
	grown := admissions(s)
	maps.DeleteFunc(grown, func(name string, n uint64) bool { return n == before[name] })
	for name := range grown {
		grown[name] -= before[name]
	}
	return grown
}

func TestEveryRequestIsCountedOnceByClassAndReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader, follower := c.Leader(), c.Follower()
		k := c.Client(t, leader.Name())
		mustCreate(t, k, "there")
		here, there := client.OnEndpoint(leader.Name()), client.OnEndpoint(follower.Name())
		weak := client.WithFreshness(candor.FreshnessBestEffort)
		odd := namespace("odd")
		odd.Spec = []byte(`{"colour":"red"}`)
		ctx, cancel := within(time.Minute)
		defer cancel()
		for _, x := range []struct {
			name string
			on   *server.Server
			do   func() error
			want string
		}{
			{"a strong read", leader, func() error { _, _, err := k.Get(ctx, refOf("there"), here); return err }, "READ ACCEPTED"},
			{"a read that finds nothing", leader, func() error { _, _, err := k.Get(ctx, refOf("nothing"), here); return err }, "READ ACCEPTED"},
			{"a strong read of a follower", follower, func() error { _, _, err := k.Get(ctx, refOf("there"), there); return err }, "READ NOT_LEADER"},
			{"a weak read of a follower", follower, func() error { _, _, err := k.Get(ctx, refOf("there"), there, weak); return err }, "READ ACCEPTED"},
			{"a read of the future", leader, func() error {
				_, _, err := k.Get(ctx, refOf("there"), here, client.AtRevision(1<<40))
				return err
			}, "READ ROOT_TOKEN_NOT_REACHED"},
			{"a list", leader, func() error {
				_, err := k.List(ctx, candor.KindNamespaces, client.ListOptions{}, here)
				return err
			}, "READ ACCEPTED"},
			{"a selector that is none", leader, func() error {
				_, err := k.List(ctx, candor.KindNamespaces, client.ListOptions{Selector: "a=(("}, here)
				return err
			}, "READ INVALID"},
			{"a watch", leader, func() error {
				watch, err := k.Watch(ctx, client.WatchOptions{Kind: candor.KindNamespaces})
				if err == nil {
					err = watch.Close()
				}
				return err
			}, "READ ACCEPTED"},
			{"diagnostics", follower, func() error { _, err := k.Diagnostics(follower.Name()).Node(ctx); return err }, "READ ACCEPTED"},
			{"a write", leader, func() error { _, err := k.Create(ctx, namespace("new")); return err }, "WRITE ACCEPTED"},
			{"a write that its turn refuses", leader, func() error { _, err := k.Create(ctx, namespace("new")); return err }, "WRITE ACCEPTED"},
			{"a write that breaks the schema", leader, func() error { _, err := k.Create(ctx, odd); return err }, "WRITE INVALID"},
			{"a write for other members", leader, func() error {
				_, err := k.Create(ctx, namespace("late"), client.WithExpectedConfiguration(1<<40))
				return err
			}, "WRITE EPOCH_MISMATCH"},
			{"a member that is none", leader, func() error { _, err := k.Cluster().Promote(ctx, "n9", 0); return err }, "TOPOLOGY ACCEPTED"},
			{"a change for other members", leader, func() error {
				_, err := k.Cluster().Promote(ctx, follower.Name(), 1<<40)
				return err
			}, "TOPOLOGY EPOCH_MISMATCH"},
		} {
			grown := counted(x.on, func() {
				_ = x.do()
				synctest.Wait()
			})
			if len(grown) != 1 || grown[x.want] != 1 {
				t.Errorf("%s: counted %v, want one %s", x.name, grown, x.want)
			}
		}
	})
}

func TestEveryRefusalCarriesAWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader := c.Leader()
		k := c.Client(t, leader.Name())
		odd := namespace("odd")
		odd.Spec = []byte(`{"colour":"red"}`)
		nowhere := namespace("x")
		nowhere.Kind = "Gadget"
		ctx, cancel := within(time.Minute)
		defer cancel()
		for name, do := range map[string]func() error{
			"schema":       func() error { _, err := k.Create(ctx, odd); return err },
			"unknown kind": func() error { _, err := k.Create(ctx, nowhere); return err },
			"configuration": func() error {
				_, err := k.Create(ctx, namespace("a"), client.WithExpectedConfiguration(1<<40))
				return err
			},
			"turn": func() error { _, err := k.Create(ctx, namespace("default")); return err },
			"reason": func() error {
				_, err := k.Create(ctx, namespace("a"), client.WithReason("X", string(make([]byte, 5000))))
				return err
			},
			"compact":       func() error { _, err := k.Cluster().Compact(ctx, 0); return err },
			"member":        func() error { _, err := k.Cluster().Promote(ctx, "n9", 0); return err },
			"feature level": func() error { _, err := k.Cluster().RaiseFeatureLevel(ctx, 99); return err },
			"selector": func() error {
				_, err := k.List(ctx, candor.KindNamespaces, client.ListOptions{Selector: "a=(("})
				return err
			},
			"continue token": func() error {
				_, err := k.List(ctx, candor.KindNamespaces, client.ListOptions{Continue: "?"})
				return err
			},
			"read": func() error { _, _, err := k.Get(ctx, refOf("none")); return err },
			"follower": func() error {
				_, _, err := k.Get(ctx, refOf("default"), client.OnEndpoint(c.Follower().Name()))
				return err
			},
		} {
			var e *candor.Error
			if err := do(); !errors.As(err, &e) || e.Witness == nil || e.Witness.ServedToken.IsZero() || e.Witness.NodeID == "" {
				t.Errorf("%s: %v carries witness %+v", name, err, e.Witness)
				continue
			}
			if e.Witness.ClusterID == "" || e.Leader == nil || e.Leader.Address != leader.Name() {
				t.Errorf("%s: witness of cluster %q, leader %+v", name, e.Witness.ClusterID, e.Leader)
			}
		}
	})
}

func TestTheOutcomeOfAWriteCanBeAskedForByRequestID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader := c.Leader()
		k := c.Client(t)
		ctx, cancel := within(time.Minute)
		defer cancel()
		odd := namespace("odd")
		odd.Spec = []byte(`{"colour":"red"}`)
		want := func(id string, outcome candor.Outcome, reason candor.Reason, options ...client.ReadOption) {
			t.Helper()
			got, err := k.Outcome(ctx, id, options...)
			if err != nil || got.Outcome != outcome || got.Reason != reason || (outcome == candor.OutcomeApplied) == got.Token.IsZero() {
				t.Errorf("%s: %+v %v, want %s %s", id, got, err, outcome, reason)
			}
		}
		if _, err := k.Create(ctx, namespace("mine"), client.WithRequestID("done")); err != nil {
			t.Fatal(err)
		}
		want("done", candor.OutcomeApplied, "")
		_, err := k.Create(ctx, namespace("mine"), client.WithRequestID("taken"))
		wantReason(t, err, candor.ReasonAlreadyExists)
		want("taken", candor.OutcomeFailed, candor.ReasonAlreadyExists)
		_, err = k.Create(ctx, odd, client.WithRequestID("odd"))
		wantReason(t, err, candor.ReasonInvalid)
		want("odd", candor.OutcomeRejected, candor.ReasonInvalid)
		want("never", "", "")

		// No majority: a write is on its way for as long as nobody knows more.
		for _, s := range c.Servers() {
			if s != leader {
				c.Cut(leader.Name(), s.Name())
			}
		}
		alone := c.Client(t, leader.Name())
		brief, stop := context.WithTimeout(ctx, 50*time.Millisecond)
		defer stop()
		_, err = alone.Create(brief, namespace("lost"), client.WithRequestID("lost"))
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		weak := []client.ReadOption{client.OnEndpoint(leader.Name()), client.WithFreshness(candor.FreshnessBestEffort), client.WithoutSession()}
		want("lost", candor.OutcomeProposed, "", weak...)
		c.Heal()
		c.Settle()
	})
}
