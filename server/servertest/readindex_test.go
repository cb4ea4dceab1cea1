package servertest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// TestAStrongReadOnAnyNodeHoldsWhatWasAcknowledgedBeforeIt, while leadership is
// handed over, lost and regained.
func TestAStrongReadOnAnyNodeHoldsWhatWasAcknowledgedBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		var known ledger
		stop := keepWriting(t, c, &known, 2, 10*time.Millisecond)
		defer stop()
		readers := readersOf(t, c)
		operator := c.Client(t)
		byFollowers, served := 0, 0
		for round := range 12 {
			switch round % 3 {
			case 0:
				ctx, cancel := within(20 * time.Second)
				if _, err := operator.Cluster().TransferLeader(ctx, ""); err != nil {
					t.Logf("transfer: %v", err)
				}
				cancel()
			case 1:
				c.Isolate(c.Leader().Name())
			default:
				c.Heal()
			}
			for range 15 {
				for _, r := range readers {
					asked := time.Now()
					w, err := r.get(t, anywhere(), 100*time.Millisecond)
					if err != nil {
						wantReason(t, err, candor.ReasonLeadershipUnconfirmed, candor.ReasonTimedOut, candor.ReasonNotLeader, candor.ReasonRootTokenNotReached)
						continue
					}
					known.honest(t, w, asked)
					served++
					if w.Mechanism == candor.MechanismFollowerReadIndex {
						byFollowers++
					}
					if w.ServedByLeader != (w.Mechanism == candor.MechanismLeaderReadIndex) {
						t.Errorf("%+v", w)
					}
				}
				time.Sleep(3 * time.Millisecond)
			}
		}
		c.Heal()
		stop()
		if served < 300 || byFollowers < 200 {
			t.Errorf("%d reads served, %d by followers", served, byFollowers)
		}
		wantEqualStates(t, c)
	})
}

// TestFollowersReadOlderStates: each is what it was, on every node and at every
// class that the node serves; what is ahead or compacted is refused.
func TestFollowersReadOlderStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		var revisions []uint64
		for i := range 4 {
			o := namespace("aged")
			o.Metadata.Labels = map[string]string{"age": fmt.Sprint(i)}
			if i == 0 {
				revisions = append(revisions, must(t, k, o).Object.Metadata.ResourceVersion)
				continue
			}
			updated, err := k.Update(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			revisions = append(revisions, updated.Object.Metadata.ResourceVersion)
		}
		wantEqualStates(t, c)
		time.Sleep(time.Second)
		ask := func(r *reader, read *candorv1.ReadOptions, at uint64) (*candorv1.Object, error) {
			read.AtRevision = at
			ctx, cancel := within(time.Second)
			defer cancel()
			out, err := r.api.Get(ctx, &candorv1.GetRequest{Kind: string(candor.KindNamespaces), Name: "aged", Read: read})
			if err != nil {
				_, err = refusal(t, err)
			}
			return out.GetObject(), err
		}
		ways := []func() *candorv1.ReadOptions{anywhere, weak, func() *candorv1.ReadOptions { return bounded(time.Second) }}
		for _, r := range readersOf(t, c) {
			for _, way := range ways {
				for i, at := range revisions {
					o, err := ask(r, way(), at)
					if err != nil || o.GetMetadata().GetLabels()["age"] != fmt.Sprint(i) || o.GetMetadata().GetResourceVersion() != at {
						t.Errorf("%s, %v at %d: %v, %v", r.server.Name(), way(), at, o, err)
					}
				}
				_, err := ask(r, way(), revisions[0]-1)
				wantReason(t, err, candor.ReasonNotFound)
				_, err = ask(r, way(), revisions[3]+1000)
				wantReason(t, err, candor.ReasonRootTokenNotReached)
			}
		}
		if _, err := k.Cluster().Compact(t.Context(), revisions[2]); err != nil {
			t.Fatal(err)
		}
		wantEqualStates(t, c)
		for _, r := range readersOf(t, c) {
			for _, way := range ways {
				_, err := ask(r, way(), revisions[1])
				wantReason(t, err, candor.ReasonCompacted)
				if o, err := ask(r, way(), revisions[2]); err != nil || o.GetMetadata().GetLabels()["age"] != "2" {
					t.Errorf("%s, %v at the floor: %v, %v", r.server.Name(), way(), o, err)
				}
			}
		}
	})
}

// TestFreshnessTellsWhatReadsGet in whatever condition a node is.
func TestFreshnessTellsWhatReadsGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A refusal may take a second: the conditions last longer.
		c := servertest.Start(t, servertest.WithFreshness(func(f *server.Freshness) { f.Policy.Window = time.Minute }))
		mustCreate(t, c.Client(t), "one")
		readers := readersOf(t, c)
		cut := c.Follower()
		compare := func(when string) {
			t.Helper()
			for _, r := range readers {
				ctx, cancel := within(20 * time.Second)
				entries := uint64(0)
				told, err := candorv1.NewDiagnosticsServiceClient(r.conn).Freshness(ctx, &candorv1.FreshnessRequest{MaxRootLag: &entries})
				cancel()
				if err != nil || len(told.GetVerdicts()) != 4 {
					t.Fatalf("%s, %s: %+v, %v", when, r.server.Name(), told, err)
				}
				for _, v := range told.GetVerdicts() {
					read := &candorv1.ReadOptions{Freshness: v.GetFreshness(), AllowFollowerReadIndex: v.GetAllowFollowerReadIndex(), MaxRootLag: &entries}
					w, err := r.get(t, read, 20*time.Second)
					if v.GetServed() != (err == nil) || v.GetReason() != string(candor.ReasonOf(err)) || (v.GetRetryClass() != "") == v.GetServed() {
						t.Errorf("%s, %s: told of %v; the read got %v", when, r.server.Name(), v, err)
					}
					said := v.GetWitness()
					if said.GetMechanism().String() != "MECHANISM_"+string(w.Mechanism) && w.Mechanism != "" || said.GetDegradedReason() != w.DegradedReason {
						t.Errorf("%s, %s: told of %v; the read's witness is %+v", when, r.server.Name(), said, w)
					}
				}
			}
		}
		time.Sleep(time.Second)
		compare("healthy")
		c.Isolate(cut.Name())
		time.Sleep(time.Second)
		compare("cut off for a second")
		time.Sleep(time.Minute)
		compare("cut off for long")
		c.Heal()
		time.Sleep(3 * time.Second)
		c.Kill(c.Follower().Name())
		readers = readersOf(t, c)
		c.Isolate(c.Leader().Name())
		time.Sleep(4 * time.Second)
		compare("without a leader")
		c.Heal()
	})
}
