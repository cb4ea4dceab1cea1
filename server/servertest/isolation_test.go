package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
)

// longLease lets a leader believe in itself for a second after it is cut off.
func longLease(s *replica.Settings) {
	s.Heartbeat, s.Election, s.LeaderLease = time.Second, time.Second, time.Second
}

// TestALeaderWithoutAMajorityServesNoStrongReadWhileItBelievesInItself: it is
// raft's leader for the whole of its lease, and cannot confirm it. It refuses
// what needs a new proof, for that reason and no other, and claims nothing of the
// time since it was cut off in what it serves.
func TestALeaderWithoutAMajorityServesNoStrongReadWhileItBelievesInItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithSettings(longLease))
		mustCreate(t, c.Client(t), "known")
		old := c.Leader()
		r := readerOf(t, c, old)
		if w := r.served(t, strong()); w.RootLag == nil || w.Class != candor.ServingAuthoritative || !w.ServedByLeader {
			t.Fatalf("before: %+v", w)
		}
		c.Isolate(old.Name())
		cut := time.Now()
		asked := 0
		for ; old.Replica().Leading(); asked++ {
			for _, read := range []*candorv1.ReadOptions{strong(), anywhere(), bounded(time.Millisecond)} {
				w, err := r.get(t, read, time.Second)
				if err == nil {
					t.Fatalf("read %v is served: %+v", read, w)
				}
				if !old.Replica().Leading() {
					break
				}
				want := candor.ReasonLeadershipUnconfirmed
				if read.GetFreshness() == candorv1.Freshness_FRESHNESS_BOUNDED {
					want = candor.ReasonStalenessExceeded
				}
				if candor.ReasonOf(err) != want {
					t.Errorf("read %v is refused with %v", read, err)
				}
				notProvenAfter(t, w, cut)
			}
			// What was proven before is as old as it says.
			w := r.served(t, bounded(time.Hour))
			notProvenAfter(t, w, cut)
			if w.Class != candor.ServingBoundedStale || w.Mechanism != candor.MechanismProvenView {
				t.Errorf("bounded is labelled %+v", w)
			}
			w = r.served(t, weak())
			notProvenAfter(t, w, cut)
			if w.Served != candor.FreshnessBestEffort || w.Class == candor.ServingAuthoritative || w.Mechanism == candor.MechanismLeaderReadIndex {
				t.Errorf("best effort is labelled %+v", w)
			}
		}
		if asked == 0 {
			t.Error("the isolated leader gave up before it was asked")
		}
		r.refused(t, strong(), candor.ReasonNotLeader)
		c.Heal()
		wantEqualStates(t, c)
	})
}

// TestAWriteToALeaderWithoutAMajorityIsNeverCalledRefused: it is in that
// leader's log, and may yet be committed or not.
func TestAWriteToALeaderWithoutAMajorityIsNeverCalledRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithSettings(longLease))
		old := c.Leader()
		api := candorv1.NewObjectServiceClient(dial(t, c, old.Name()))
		c.Isolate(old.Name())
		ctx, cancel := within(10 * time.Second)
		defer cancel()
		_, err := api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(namespace("perhaps"))})
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonOutcomeUnknown)
		next := c.Leader(old.Name())
		mustCreate(t, c.Client(t, next.Name()), "certain")
		c.Heal()
		wantEqualStates(t, c)
		if v, _ := old.Machine().View().Get(refOf("perhaps"), 0); v != nil {
			t.Error("the next leader's log has what only the old one's had")
		}
	})
}
