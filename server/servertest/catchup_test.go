package servertest_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// changes are the conditions that a server told of.
type changes struct {
	mu   sync.Mutex
	seen []change
}

type change struct {
	before, after candor.Token
	at            time.Time
	state         candor.CatchUpState
	action        candor.CatchUpAction
	mode          candor.DegradedMode
	reason        string
}

func (c change) String() string {
	return fmt.Sprintf("%s/%s/%s/%s", c.state, c.action, c.mode, c.reason)
}

// follow keeps what a server streams until the test ends or the server does.
func follow(t testing.TB, r *reader) *changes {
	t.Helper()
	stream, err := candorv1.NewDiagnosticsServiceClient(r.conn).WatchCatchUp(t.Context(), &candorv1.WatchCatchUpRequest{})
	if err != nil {
		t.Fatal(err)
	}
	out := &changes{}
	go func() {
		for {
			m, err := stream.Recv()
			if err != nil {
				return
			}
			out.mu.Lock()
			out.seen = append(out.seen, change{
				before: convert.TokenFromProto(m.GetTokenBefore()), after: convert.TokenFromProto(m.GetTokenAfter()), at: m.GetAt().AsTime(),
				state: convert.CatchUpStateFromProto(m.GetState()), action: convert.CatchUpActionFromProto(m.GetAction()),
				mode: convert.DegradedModeFromProto(m.GetDegradedMode()), reason: m.GetReason(),
			})
			out.mu.Unlock()
		}
	}()
	return out
}

func (c *changes) all() []change {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

func (c *changes) last() change {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[len(c.seen)-1]
}

// wantOrder fails unless the given conditions were told of in this order, others
// between them.
func (c *changes) wantOrder(t testing.TB, want ...string) {
	t.Helper()
	seen, next := c.all(), 0
	for _, s := range seen {
		if next < len(want) && s.String() == want[next] {
			next++
		}
	}
	if next < len(want) {
		t.Errorf("no %s in its place: told of %v", want[next], seen)
	}
}

// wantSteady fails unless each change begins where the one before ended, is
// another condition, and never goes back.
func (c *changes) wantSteady(t testing.TB) {
	t.Helper()
	seen := c.all()
	for i := 1; i < len(seen); i++ {
		was, is := seen[i-1], seen[i]
		if is.before != was.after || !is.after.Covers(is.before) || is.String() == was.String() || is.at.Before(was.at) {
			t.Errorf("after %+v came %+v", was, is)
		}
	}
}

// TestAFollowerThatNeedsASnapshotSaysSo: from the moment that the leader's log
// has no more what it misses until the snapshot is in, it refuses what would need
// a proven view, and serves the rest from the view that it has.
func TestAFollowerThatNeedsASnapshotSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, shortLogs())
		var known ledger
		k := c.Client(t)
		mustCreate(t, k, "kept")
		leader, behind := c.Leader(), c.Follower()
		r := readerOf(t, c, behind)
		time.Sleep(time.Second)
		told := follow(t, r)
		renewed(t, c, behind)
		c.Starve(behind.Name())
		time.Sleep(500 * time.Millisecond) // what was on its way has come, and nothing is renewed yet
		had := behind.Replica().Status().LastIndex
		last := writePast(t, c, c.Client(t, names(without(c, behind))...), "kept", had, behind)
		known.acknowledged(last.Token)
		c.Until("it says what it needs", func() bool { return r.served(t, weak()).CatchUp == candor.CatchUpBootstrapRequired })
		w := r.served(t, weak())
		if w.Class != candor.ServingDegraded || w.Mechanism != candor.MechanismView || w.CatchUpAction != candor.CatchUpBootstrap || w.RootLag == nil {
			t.Errorf("before the snapshot: %+v", w)
		}
		if first := r.freshness(t).GetLeaderFirstIndex(); first <= had+1 {
			t.Errorf("the leader's log begins at %d by its word, its own ends at %d", first, had)
		}
		r.refused(t, bounded(time.Hour), candor.ReasonBootstrapRequired)
		r.refused(t, anywhere(), candor.ReasonBootstrapRequired)
		if !r.findings(t)["BOOTSTRAP_REQUIRED"] {
			t.Error("its status does not say so")
		}
		c.Heal()
		// The snapshot comes, piece by piece.
		c.Slow(leader.Name(), behind.Name(), 400*time.Millisecond)
		c.Until("the snapshot comes", func() bool { return told.last().state == candor.CatchUpRecovering })
		r.refused(t, bounded(time.Hour), candor.ReasonRecovering)
		c.Heal()
		c.Until("it has caught up", func() bool { return r.served(t, weak()).CatchUp == candor.CatchUpFresh })
		wantInstalled(t, behind, had)
		asked := time.Now()
		known.honest(t, r.served(t, bounded(time.Second)), asked)
		known.honest(t, r.served(t, anywhere()), asked)
		time.Sleep(time.Second)
		told.wantOrder(t, "FRESH/NONE/HEALTHY/", "BOOTSTRAP_REQUIRED/BOOTSTRAP/HEALTHY/", "RECOVERING/BOOTSTRAP/ROOT_LAGGING/PROOF_AGE", "FRESH/NONE/HEALTHY/")
		told.wantSteady(t)
		wantEqualStates(t, c)
	})
}

// TestAFollowerBehindASlowLinkIsLaggingAndServesWithinItsBound: its proofs are as
// old as the link is long.
func TestAFollowerBehindASlowLinkIsLaggingAndServesWithinItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithFreshness(func(f *server.Freshness) { f.Policy.FreshAge = 200 * time.Millisecond }))
		var known ledger
		leader, behind := c.Leader(), c.Follower()
		stop := keepWriting(t, c, &known, 2, 20*time.Millisecond, leader.Name())
		defer stop()
		r := readerOf(t, c, behind)
		c.Slow(leader.Name(), behind.Name(), 110*time.Millisecond)
		c.Slow(behind.Name(), leader.Name(), 110*time.Millisecond)
		time.Sleep(2 * time.Second)
		lags := 0
		for range 100 {
			asked := time.Now()
			w := r.served(t, bounded(time.Second))
			known.honest(t, w, asked)
			if *w.StalenessBound < 110*time.Millisecond {
				t.Errorf("a bound of %s on a link that takes 110 ms", *w.StalenessBound)
			}
			if w.CatchUp == candor.CatchUpLagging && w.CatchUpAction == candor.CatchUpAdvance && w.Mode == candor.ModeRootLagging && w.DegradedReason == "PROOF_AGE" {
				lags++
			}
			time.Sleep(13 * time.Millisecond)
		}
		if lags < 80 {
			t.Errorf("in %d of 100 reads it says that it lags", lags)
		}
		r.refused(t, bounded(50*time.Millisecond), candor.ReasonStalenessExceeded)
		c.Heal()
		c.Until("it is fresh again", func() bool { return r.served(t, weak()).Mode == candor.ModeHealthy })
	})
}

// TestAFollowerThatMissesMoreThanPolicyAllowsIsLagging.
func TestAFollowerThatMissesMoreThanPolicyAllowsIsLagging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithFreshness(func(f *server.Freshness) { f.Policy.FreshLag = 3 }))
		behind := c.Follower()
		k := c.Client(t, c.Leader().Name())
		r := readerOf(t, c, behind)
		time.Sleep(time.Second)
		c.Starve(behind.Name())
		for i := range 5 {
			mustCreate(t, k, fmt.Sprintf("n-%d", i))
		}
		time.Sleep(200 * time.Millisecond)
		w := r.served(t, weak())
		if w.CatchUp != candor.CatchUpLagging || w.CatchUpAction != candor.CatchUpAdvance || w.Mode != candor.ModeRootLagging || w.DegradedReason != "LAG" || w.RootLag == nil || *w.RootLag != 5 {
			t.Errorf("%+v", w)
		}
		if !r.findings(t)["ROOT_LAGGING"] {
			t.Error("its status does not say so")
		}
		c.Heal()
		c.Until("it is fresh again", func() bool { return r.served(t, weak()).Mode == candor.ModeHealthy })
	})
}

// TestANonVoterServesBoundedReads, and strong ones by the leader's read index.
func TestANonVoterServesBoundedReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		var known ledger
		added := c.AddServer()
		stop := keepWriting(t, c, &known, 2, 10*time.Millisecond)
		defer stop()
		r := readerOf(t, c, added)
		c.Until("it has proven something", func() bool { return r.served(t, weak()).Mode == candor.ModeHealthy })
		for range 50 {
			asked := time.Now()
			known.honest(t, r.served(t, bounded(time.Second)), asked)
			asked = time.Now()
			known.honest(t, r.served(t, anywhere()), asked)
			time.Sleep(11 * time.Millisecond)
		}
		if added.Replica().IsVoter() {
			t.Error("it votes")
		}
		r.refused(t, strong(), candor.ReasonNotLeader)
	})
}

// TestARemovedNodeRefusesWhatMustBeReliedOn: the leader says so, and nobody else
// can.
func TestARemovedNodeRefusesWhatMustBeReliedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		gone := c.Follower()
		r := readerOf(t, c, gone)
		time.Sleep(time.Second)
		told := follow(t, r)
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		if _, err := c.Client(t).Cluster().Remove(ctx, gone.Name(), client.RemoveOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Until("it has heard", func() bool { return r.served(t, weak()).Mode == candor.ModeViewOnly })
		for range 20 {
			w := r.served(t, weak())
			if w.Class != candor.ServingDegraded || w.DegradedReason != "REMOVED" || w.CatchUpAction != candor.CatchUpReject {
				t.Errorf("%+v", w)
			}
			r.refused(t, bounded(time.Hour), candor.ReasonViewOnly)
			r.refused(t, anywhere(), candor.ReasonViewOnly)
			r.refused(t, strong(), candor.ReasonViewOnly)
			time.Sleep(500 * time.Millisecond)
		}
		if !r.findings(t)["VIEW_ONLY"] {
			t.Error("its status does not say so")
		}
		told.wantSteady(t)
		for _, s := range without(c, gone) {
			if w := readerOf(t, c, s).served(t, bounded(time.Second)); w.Mode != candor.ModeHealthy {
				t.Errorf("%s: %+v", s.Name(), w)
			}
		}
	})
}
