package read_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server/read"
)

// asks are when the beacon asked since the last time.
func (r *root) asks() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.proves
	r.proves, r.asked = nil, nil
	return at
}

// most is how many questions there were at once.
func (r *root) most() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.top
}

func TestTheBeaconAsksWhenTheNewestProofIsAnIntervalOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		r.takes = 20 * time.Millisecond
		n := start(t, r, beating)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		asked := r.asks()
		if len(asked) < 99 || len(asked) > 100 {
			t.Errorf("asked %d times in 10 s at 100 ms", len(asked))
		}
		for i := 1; i < len(asked); i++ {
			// The proof is of when the question began.
			if gap := asked[i] - asked[i-1]; gap != 100*time.Millisecond {
				t.Fatalf("question %d came %s after the one before", i, gap)
			}
		}
		s := n.Status()
		if s.NewestAge == nil || *s.NewestAge > 120*time.Millisecond || s.NewestIndex != 6 || s.NewestTerm != 3 || s.Lag == nil || *s.Lag != 2 || s.ProofAge != nil {
			t.Errorf("status %+v: the view is at 4 and everything up to 6 is proven", s)
		}
		if s.Probes < 98 || s.ProbesFailed != 0 || s.Failure != "" {
			t.Errorf("%d probes, %d failed (%s)", s.Probes, s.ProbesFailed, s.Failure)
		}
	})
}

// TestALeaderAsksHalfAsOften: each of its questions is a round of all voters.
func TestALeaderAsksHalfAsOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := leader(t)
		n := start(t, r, beating)
		time.Sleep(10 * time.Second)
		if asked := r.asks(); len(asked) < 49 || len(asked) > 51 {
			t.Errorf("a leader asked %d times in 10 s at 100 ms", len(asked))
		}
		r.apply(6)
		if c := n.Status().Condition; c.CatchUp != candor.CatchUpFresh || c.Mode != candor.ModeHealthy {
			t.Errorf("and is %+v", c)
		}
	})
}

// TestReadsThatProveSaveTheBeaconTheQuestion.
func TestReadsThatProveSaveTheBeaconTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		n := start(t, r, beating)
		for range 100 {
			if _, _, err := n.View(t.Context(), candor.ReadRequest{FollowerReadIndex: true}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if asked := r.asks(); len(asked) > 100 {
			t.Errorf("asked %d times for 100 reads that proved it twice an interval", len(asked))
		}
		// So do the proofs that this node makes for others.
		for range 100 {
			n.Note(read.Proof{Index: 6, Term: 3, Began: r.Elapsed(0)})
			time.Sleep(50 * time.Millisecond)
		}
		if asked := r.asks(); len(asked) > 0 {
			t.Errorf("the beacon asked at %v while others had it prove", asked)
		}
		time.Sleep(time.Second)
		if asked := r.asks(); len(asked) < 9 {
			t.Errorf("left to itself it asked at %v", asked)
		}
	})
}

// TestTheBeaconSurvivesErrorsAndALeaderThatHangs: one question at a time, never
// in a loop without a pause, and as before once there is an answer.
func TestTheBeaconSurvivesErrorsAndALeaderThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		n := start(t, r, beating)
		time.Sleep(time.Second)
		r.asks()
		r.edit(func(r *root) { r.refuse = candor.Errorf(candor.ReasonRootUnavailable, "nobody leads") })
		time.Sleep(time.Second)
		if asked := r.asks(); len(asked) < 5 || len(asked) > 110 {
			t.Errorf("asked %d times in a second without a leader", len(asked))
		}
		if s := n.Status(); s.Failure == "" || s.ProbesFailed < 5 {
			t.Errorf("status does not say why: %+v", s)
		}
		r.edit(func(r *root) { r.refuse, r.hangs = nil, true })
		time.Sleep(5 * time.Second)
		asked := r.asks()
		if len(asked) < 5 || len(asked) > 20 {
			t.Errorf("asked a leader that hangs at %v", asked)
		}
		r.edit(func(r *root) { r.hangs = false })
		time.Sleep(time.Second)
		r.asks()
		time.Sleep(time.Second)
		if asked := r.asks(); len(asked) < 9 || len(asked) > 11 {
			t.Errorf("asked at %v once there were answers again", asked)
		}
		if s := n.Status(); s.Failure != "" {
			t.Errorf("the newest probe succeeded; status says %s", s.Failure)
		}
		if top := r.most(); top != 1 {
			t.Errorf("%d questions at once", top)
		}
	})
}

func TestTheBeaconStopsOnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, hangs := range []bool{false, true} {
			r := follower(t)
			r.hangs = hangs
			n := start(t, r, beating)
			time.Sleep(time.Second)
			began := time.Now()
			n.Close()
			if took := time.Since(began); took > 0 {
				t.Errorf("hangs=%t: closing took %s", hangs, took)
			}
			r.asks()
			time.Sleep(time.Second)
			if asked := r.asks(); len(asked) > 0 {
				t.Errorf("hangs=%t: asked at %v after Close", hangs, asked)
			}
			r.edit(func(r *root) { r.hangs = false })
			if _, _, err := n.View(t.Context(), bounded(time.Second)); err != nil {
				t.Errorf("a read after Close: %v", err)
			}
			if s := n.Status(); s.ProbesFailed > 0 != hangs {
				t.Errorf("hangs=%t: %d probes failed; the one that Close ended is none", hangs, s.ProbesFailed)
			}
		}
	})
}

// TestWhatIsProvenReachesTrust: the digest that a majority shares, and whether
// this node is a member.
func TestWhatIsProvenReachesTrust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		r.agreed = fsm.IndexDigest{Index: 5, Digest: fsm.Digest{5}}
		n := start(t, r, beating)
		time.Sleep(150 * time.Millisecond)
		n.judge.mu.Lock()
		heard := n.judge.heard
		n.judge.mu.Unlock()
		if len(heard) != 1 || heard[0] != r.agreed {
			t.Errorf("trust heard %v", heard)
		}
		r.edit(func(r *root) { r.refuse = candor.Errorf(candor.ReasonNotAMember, "not in configuration 9") })
		time.Sleep(time.Second)
		if !n.judge.isRemoved() {
			t.Fatal("trust did not hear that the node was removed")
		}
		for _, ask := range []candor.ReadRequest{bounded(time.Hour), {FollowerReadIndex: true}, {}} {
			_, w, err := n.View(t.Context(), ask)
			wantReason(t, "on a node that was removed", err, candor.ReasonViewOnly)
			if w.Mode != candor.ModeViewOnly || w.DegradedReason != string(freshness.ReasonRemoved) || w.CatchUpAction != candor.CatchUpReject {
				t.Errorf("witness %+v", w)
			}
		}
		// One error of another kind says nothing of it; a proof does.
		r.edit(func(r *root) { r.refuse = candor.Errorf(candor.ReasonRootUnavailable, "nobody leads") })
		time.Sleep(time.Second)
		if !n.judge.isRemoved() {
			t.Error("a node without a leader counts as a member again")
		}
		r.edit(func(r *root) { r.refuse = nil })
		time.Sleep(time.Second)
		if n.judge.isRemoved() {
			t.Error("a proof was given, and the node still counts as removed")
		}
	})
}

// TestAReadThatIsToldOfARemovalTellsTrust, without waiting for the beacon, and
// is refused for what it is.
func TestAReadThatIsToldOfARemovalTellsTrust(t *testing.T) {
	for name, ask := range map[string]candor.ReadRequest{"bounded": bounded(time.Hour), "strong": {FollowerReadIndex: true}} {
		r := follower(t)
		r.refuse = candor.Errorf(candor.ReasonNotAMember, "not in configuration 9")
		n := start(t, r)
		_, _, err := n.View(t.Context(), ask)
		wantReason(t, name, err, candor.ReasonViewOnly)
		if !n.judge.isRemoved() {
			t.Errorf("%s: trust did not hear of it", name)
		}
	}
}
