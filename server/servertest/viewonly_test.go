package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server/servertest"
)

func setViewOnly(t testing.TB, r *reader, on bool) (changed bool) {
	t.Helper()
	ctx, cancel := within(5 * time.Second)
	defer cancel()
	out, err := candorv1.NewNodeServiceClient(r.conn).SetViewOnly(ctx, &candorv1.SetViewOnlyRequest{On: on})
	if err != nil {
		t.Fatalf("view-only of %s: %v", r.server.Name(), err)
	}
	return out.GetChanged()
}

// wantViewOnly fails unless a server refuses what must be relied on, serves the
// rest as degraded, and says why everywhere.
func wantViewOnly(t testing.TB, r *reader, why string) {
	t.Helper()
	for _, read := range []*candorv1.ReadOptions{strong(), anywhere(), bounded(time.Hour)} {
		if w := r.refused(t, read, candor.ReasonViewOnly); w.Mode != candor.ModeViewOnly || w.DegradedReason != why {
			t.Errorf("%s refuses %v: %+v", r.server.Name(), read, w)
		}
	}
	if w := r.served(t, weak()); w.Class != candor.ServingDegraded || w.Mechanism != candor.MechanismView || w.Mode != candor.ModeViewOnly || w.DegradedReason != why {
		t.Errorf("%s serves %+v", r.server.Name(), w)
	}
	if told := r.freshness(t); told.GetDegradedMode() != candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY || told.GetDegradedReason() != why {
		t.Errorf("%s in diagnostics: %+v", r.server.Name(), told)
	}
	if !r.findings(t)["VIEW_ONLY"] {
		t.Errorf("%s has no finding of it", r.server.Name())
	}
}

// TestAnOperatorsViewOnlyLastsOverARestartAndEndsWhenToldTo, on a follower and on
// the leader, which leads on.
func TestAnOperatorsViewOnlyLastsOverARestartAndEndsWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithData(t.TempDir()))
		mustCreate(t, c.Client(t), "one")
		time.Sleep(time.Second)
		for _, s := range c.Servers() {
			r := readerOf(t, c, s)
			if !setViewOnly(t, r, true) || setViewOnly(t, r, true) {
				t.Errorf("%s: the first changes it, the second does not", s.Name())
			}
			wantViewOnly(t, r, "OPERATOR")
			if !r.freshness(t).GetViewOnlyByOperator() {
				t.Error("the operator's flag is not told")
			}
		}
		mustCreate(t, c.Client(t), "two")
		restarted := c.Follower().Name()
		c.Kill(restarted)
		r := readerOf(t, c, c.Restart(restarted))
		c.Until("it has a view again", func() bool {
			_, err := r.get(t, weak(), time.Second)
			return err == nil
		})
		wantViewOnly(t, r, "OPERATOR")
		for _, s := range c.Servers() {
			r := readerOf(t, c, s)
			if !setViewOnly(t, r, false) || setViewOnly(t, r, false) {
				t.Errorf("%s: the first changes it, the second does not", s.Name())
			}
			c.Until(s.Name()+" is well", func() bool { return r.served(t, weak()).Mode == candor.ModeHealthy })
			r.served(t, bounded(time.Second))
			r.served(t, anywhere())
		}
		c.Stop(restarted)
		r = readerOf(t, c, c.Restart(restarted))
		c.Until("it is well after a restart", func() bool {
			w, err := r.get(t, weak(), time.Second)
			return err == nil && w.Mode == candor.ModeHealthy
		})
		wantEqualStates(t, c)
	})
}
