package freshness

import (
	"errors"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

func strong() (Request, candor.Witness) {
	age, lag := time.Millisecond, uint64(0)
	served := candor.Token{Term: 2, Index: 9, Revision: 7}
	return Request{Class: candor.FreshnessStrong, MaxStaleness: bound}, candor.Witness{
		NodeID: "n", BootID: "b", Requested: candor.FreshnessStrong, Served: candor.FreshnessStrong, ServedToken: served,
		Class: candor.ServingAuthoritative, Mechanism: candor.MechanismLeaderReadIndex, ServedByLeader: true,
		StalenessBound: &age, RootLag: &lag, CatchUp: candor.CatchUpFresh, Mode: candor.ModeHealthy,
	}
}

func bounded() (Request, candor.Witness) {
	q, w := strong()
	q.Class, w.Requested, w.Served = candor.FreshnessBounded, candor.FreshnessBounded, candor.FreshnessBounded
	w.Class, w.Mechanism, w.ServedByLeader = candor.ServingBoundedStale, candor.MechanismProvenView, false
	return q, w
}

func bestEffort() (Request, candor.Witness) {
	q, w := bounded()
	q.Class, w.Requested, w.Served = candor.FreshnessBestEffort, candor.FreshnessBestEffort, candor.FreshnessBestEffort
	w.Class, w.Mechanism, w.StalenessBound = candor.ServingDegraded, candor.MechanismView, nil
	w.CatchUp, w.Mode, w.RootLag = candor.CatchUpRecovering, candor.ModeRootUnavailable, nil
	return q, w
}

func TestHonestAnswersPass(t *testing.T) {
	for name, build := range map[string]func() (Request, candor.Witness){"strong": strong, "bounded": bounded, "best effort": bestEffort} {
		q, w := build()
		if err := Verify(&q, &w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	q, w := strong()
	q.FollowerReadIndex, w.ServedByLeader, w.Mechanism = true, false, candor.MechanismFollowerReadIndex
	if err := Verify(&q, &w); err != nil {
		t.Errorf("strong of a follower: %v", err)
	}
}

// Each of these is a lie that the client must not take.
func TestEveryBrokenPromiseIsFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		from  func() (Request, candor.Witness)
		spoil func(q *Request, w *candor.Witness)
		field string
	}{
		{"a weaker class served", strong, func(_ *Request, w *candor.Witness) { w.Served = candor.FreshnessBestEffort }, "servedFreshness"},
		{"another request's answer", strong, func(_ *Request, w *candor.Witness) { w.Requested = candor.FreshnessBounded }, "requestedFreshness"},
		{"strong without a read index", strong, func(_ *Request, w *candor.Witness) { w.Mechanism = candor.MechanismView }, "mechanism"},
		{"strong of a follower that nobody allowed", strong, func(_ *Request, w *candor.Witness) {
			w.ServedByLeader, w.Mechanism = false, candor.MechanismFollowerReadIndex
		}, "servedByLeader"},
		{"strong of a quarantined node", strong, func(_ *Request, w *candor.Witness) { w.Mode = candor.ModeViewOnly }, "degradedMode"},
		{"below the required token", strong, func(q *Request, _ *candor.Witness) { q.Required = candor.Token{Term: 2, Index: 10, Revision: 7} }, "servedRootToken"},
		{"bounded without a bound", bounded, func(_ *Request, w *candor.Witness) { w.StalenessBound = nil }, "stalenessBound"},
		{"bounded past the bound", bounded, func(_ *Request, w *candor.Witness) { w.StalenessBound = new(bound + 1) }, "stalenessBound"},
		{"bounded with an unknown lag", bounded, func(q *Request, w *candor.Witness) { q.MaxLag, w.RootLag = new(uint64(5)), nil }, "rootLag"},
		{"bounded past the lag", bounded, func(q *Request, w *candor.Witness) { q.MaxLag, w.RootLag = new(uint64(5)), new(uint64(6)) }, "rootLag"},
		{"bounded while recovering", bounded, func(_ *Request, w *candor.Witness) { w.CatchUp = candor.CatchUpRecovering }, "catchUpState"},
		{"best effort called authoritative", bestEffort, func(_ *Request, w *candor.Witness) { w.Class = candor.ServingAuthoritative }, "servingClass"},
		{"best effort called proven without a proof", bestEffort, func(_ *Request, w *candor.Witness) {
			w.Class, w.Mechanism = candor.ServingBoundedStale, candor.MechanismProvenView
		}, "servingClass"},
		{"nobody answered", bestEffort, func(_ *Request, w *candor.Witness) { w.BootID = "" }, "nodeID"},
	} {
		q, w := c.from()
		c.spoil(&q, &w)
		err := Verify(&q, &w)
		b, ok := errors.AsType[*BreachError](err)
		if !ok || b.Field != c.field {
			t.Errorf("%s: %v; want a breach of %s", c.name, err, c.field)
		}
	}
}
