package server

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Every guarantee has its series from the start, so that an alarm on a value other than
// 0 can tell silence from health; and the names are those of invariants that exist.
func TestViolationsAreCountedByGuarantee(t *testing.T) {
	none := map[string]uint64{"primacy": 0, "inheritance": 0, "silence": 0, "finality": 0}
	if diff := cmp.Diff(none, violations([]fsm.Record{{Invariant: "GenerationCountsSpec"}, {Reason: candor.ReasonTurnFault}})); diff != "" {
		t.Errorf("of others (-want +got):\n%s", diff)
	}
	known := map[string]bool{}
	for _, x := range invariant.All() {
		known[x.Name] = true
	}
	for name, guarantee := range guarantees {
		if !known[name] {
			t.Errorf("there is no invariant %s", name)
		}
		if got := violations([]fsm.Record{{Invariant: name}, {Invariant: name}})[guarantee]; got != 2 {
			t.Errorf("%s: %d of %s, want 2", name, got, guarantee)
		}
	}
}

func TestWhatGatesTurnAwayIsCountedApart(t *testing.T) {
	var g gates
	event := command.Tenure("ids", "server/u-1", tenure.Renew{Era: 1, Holder: "server/u-1"})
	fenced := command.Compact(3)
	fenced.Duty, fenced.Era = "janitor", 2
	stale := &candor.Error{Reason: candor.ReasonEraStale, Message: "era 1 is over"}
	g.judged(event, stale)
	g.judged(fenced, stale)
	g.judged(fenced, stale)
	g.judged(fenced, nil)                            // it passed
	g.judged(command.Compact(3), errors.New("late")) // under no duty
	got := map[rejection]uint64{}
	g.each(func(r rejection, count uint64) { got[r] = count })
	want := map[rejection]uint64{{"tenure", candor.ReasonEraStale}: 1, {"fence", candor.ReasonEraStale}: 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Counters go on when the duty comes back.
func TestNumbersAreCountedOverEras(t *testing.T) {
	var a allocated
	if got := a.total(); got != (allocator.Stats{}) {
		t.Errorf("before the first era: %+v", got)
	}
	first := allocator.Stats{Calls: 3, Numbers: 30, Waited: 1, Waiting: 2, Reservations: 4, ReserveFailures: 5, Refused: 6}
	a.begin(func() allocator.Stats { return first })
	if got := a.total(); got != first {
		t.Errorf("in an era: %+v", got)
	}
	a.end()
	past := first
	past.Waiting = 0
	if got := a.total(); got != past {
		t.Errorf("between eras: %+v, want %+v", got, past)
	}
	a.begin(func() allocator.Stats { return allocator.Stats{Calls: 1, Numbers: 1, Waiting: 7} })
	if got := a.total(); got.Calls != 4 || got.Numbers != 31 || got.Waiting != 7 || got.Refused != 6 {
		t.Errorf("in the second era: %+v", got)
	}
}
