package replica

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

func TestTheNewestOutcomesAreListedNewestFirst(t *testing.T) {
	o := newOutcomes()
	at := candor.Token{Term: 7, Index: 1042, Revision: 977}
	end := func(id string, result *fsm.Result, err error) {
		o.Begin("ana", id)
		r := o.find("ana", id)
		r.went()
		r.hears(candor.Token{}, result, err)
		became, _ := becameOf(result, err)
		if became.Outcome == candor.OutcomeApplied {
			became = Became{}
		}
		o.End("ana", id, became.Outcome, became.Reason)
	}
	end("done", &fsm.Result{Token: at}, nil)
	end("failed", &fsm.Result{Reason: candor.ReasonConflict}, nil)
	end("lost", nil, candor.Errorf(candor.ReasonOutcomeUnknown, "no answer"))
	o.Begin("ana", "refused")
	o.End("ana", "refused", candor.OutcomeRejected, candor.ReasonInvalid)
	want := []Ended{
		{"ana", "refused", Became{Outcome: candor.OutcomeRejected, Reason: candor.ReasonInvalid}},
		{"ana", "failed", Became{Outcome: candor.OutcomeFailed, Reason: candor.ReasonConflict}},
		{"ana", "done", Became{Outcome: candor.OutcomeApplied, Token: at}},
	}
	if diff := cmp.Diff(want, o.Newest()); diff != "" {
		t.Errorf("newest (-want +got):\n%s", diff)
	}
	for i := range 3 * outcomesTold {
		end(fmt.Sprint(i), &fsm.Result{Token: at}, nil)
	}
	newest := o.Newest()
	if len(newest) != outcomesTold || newest[0].RequestID != fmt.Sprint(3*outcomesTold-1) || newest[outcomesTold-1].RequestID != fmt.Sprint(2*outcomesTold) {
		t.Errorf("%d listed, from %s to %s", len(newest), newest[0].RequestID, newest[len(newest)-1].RequestID)
	}
}

func TestARequestThatFailedAndIsDoneAfterAllIsToldOnce(t *testing.T) {
	o := newOutcomes()
	at := candor.Token{Term: 7, Index: 1042, Revision: 977}
	o.Begin("ana", "twice")
	r := o.find("ana", "twice")
	r.went()
	r.went()
	r.hears(candor.Token{}, nil, candor.Errorf(candor.ReasonNotLeader, "no"))
	r.hears(candor.Token{}, &fsm.Result{Token: at}, nil)
	o.End("ana", "twice", candor.OutcomeFailed, candor.ReasonConflict)
	want := []Ended{{"ana", "twice", Became{Outcome: candor.OutcomeApplied, Token: at}}}
	if diff := cmp.Diff(want, o.Newest()); diff != "" {
		t.Errorf("newest (-want +got):\n%s", diff)
	}
}
