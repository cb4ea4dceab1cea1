package explore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/verify/explore"
)

// jugs are two jugs of 3 and 5 litres, which can be filled, emptied and poured.
type jugs struct {
	forbid int
	leaks  bool
}

type litres struct{ small, large int }

type pour string

func (p pour) String() string { return string(p) }

func (jugs) Initial() litres { return litres{} }

func (jugs) Key(key []byte, s litres) []byte { return append(key, byte(s.small), byte(s.large)) }

func (m jugs) Steps(s litres, visit func(pour, litres, error)) {
	step := func(p pour, to litres) {
		var broken error
		if to.large == m.forbid {
			broken = fmt.Errorf("the large jug holds %d", m.forbid)
		}
		visit(p, to, broken)
	}
	if m.leaks && s.small == 2 {
		step("leak", litres{small: -1})
	}
	if s.small < 0 {
		return
	}
	step("fill small", litres{3, s.large})
	step("fill large", litres{s.small, 5})
	step("empty small", litres{0, s.large})
	step("empty large", litres{s.small, 0})
	n := min(s.small, 5-s.large)
	step("small to large", litres{s.small - n, s.large + n})
	n = min(s.large, 3-s.small)
	step("large to small", litres{s.small + n, s.large - n})
}

func TestEveryStateIsSeenOnce(t *testing.T) {
	report, err := explore.Run(jugs{forbid: -1}, explore.Options[litres, pour]{MaxStates: 100})
	if err != nil || report.Failure != nil {
		t.Fatal(report, err)
	}
	// 4 x 6 fillings, of which those with both jugs neither full nor empty are out of reach.
	if report.States != 16 || report.Transitions != 16*6 {
		t.Errorf("want 16 states and 96 transitions, got %v", report)
	}
}

func TestAFailureComesWithTheShortestWayToIt(t *testing.T) {
	report, err := explore.Run(jugs{forbid: 4}, explore.Options[litres, pour]{MaxStates: 100})
	if err != nil || report.Failure == nil {
		t.Fatal(report, err)
	}
	want := []string{"fill large", "large to small", "empty small", "large to small", "fill large", "large to small"}
	if diff := cmp.Diff(want, report.Failure.Steps); diff != "" {
		t.Error(diff)
	}
	if got := report.String(); !strings.Contains(got, "depth 6\nbroken: the large jug holds 4\n  1. fill large\n") {
		t.Errorf("as it is printed:\n%s", got)
	}
}

func TestWhatHasNoWayToItsEndIsFound(t *testing.T) {
	empty := explore.Ending[litres, pour]{
		Name:  "the jugs are emptied",
		Owed:  func(litres) bool { return true },
		Done:  func(s litres) bool { return s == litres{} },
		Fault: func(p pour) bool { return p == "empty small" },
	}
	for _, row := range []struct {
		model jugs
		steps []string
	}{
		{jugs{forbid: -1}, nil},
		{jugs{forbid: -1, leaks: true}, []string{"fill large", "large to small", "empty small", "large to small", "leak"}},
	} {
		report, err := explore.Run(row.model, explore.Options[litres, pour]{MaxStates: 100, Endings: []explore.Ending[litres, pour]{empty}})
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		if report.Failure != nil {
			steps = report.Failure.Steps
		}
		if diff := cmp.Diff(row.steps, steps); diff != "" {
			t.Errorf("%+v: %v", row.model, diff)
		}
	}
}

func TestARunThatIsNotExhaustiveIsAnError(t *testing.T) {
	for _, limit := range []int{0, 15} {
		_, err := explore.Run(jugs{forbid: -1}, explore.Options[litres, pour]{MaxStates: limit})
		if err == nil || errors.Unwrap(err) != nil {
			t.Errorf("a limit of %d states: %v", limit, err)
		}
	}
}
