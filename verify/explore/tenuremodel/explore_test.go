package tenuremodel_test

import (
	"testing"

	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/explore"
	"github.com/candor-plane/candor/verify/explore/tenuremodel"
)

type (
	bounds = tenuremodel.Bounds
	ending = explore.Ending[tenuremodel.World, tenuremodel.Action]
)

// handoversEnd but for those to the last era that the bounds grant: a crash may
// leave it, and nobody follows. A campaign that nobody waits for uses an era up.
func handoversEnd(b bounds) ending {
	return ending{
		Name: "every handover ends",
		Owed: func(w tenuremodel.World) bool {
			granted := w.Lineage.Current.Number
			if w.Abandoned() {
				granted++
			}
			return granted < b.Eras
		},
		Done: func(w tenuremodel.World) bool {
			state := w.Lineage.Current.State
			return len(w.Lineage.Unfinished) == 0 && (state == tenure.StateActive || state == tenure.StateClosed)
		},
		Fault: tenuremodel.Action.Fault,
	}
}

func run(t *testing.T, b bounds, rules tenuremodel.Rules) explore.Report {
	t.Helper()
	model := &tenuremodel.Model{Bounds: b, Rules: rules}
	report, err := explore.Run(model, explore.Options[tenuremodel.World, tenuremodel.Action]{MaxStates: 1_000_000, Endings: []ending{handoversEnd(b)}})
	t.Logf("%s\n%s", b, report)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// within are the bounds of the runs that must hold, and of those that must not.
var within = map[string]bounds{
	"handovers":   {Duty: "ids", Holders: 3, Eras: 4, Lasts: 1, InFlight: 1, Releases: true},
	"late writes": {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 2, Writes: true},
	"leaders":     {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Writes: true, Releases: true, Transfers: true, Leaders: true},
	"ids":         {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Values: 3, Reserves: true},
	"late ids":    {Duty: "ids", Holders: 3, Eras: 2, Lasts: 1, InFlight: 2, Values: 1, Reserves: true},
	"client":      {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Values: 2, Reserves: true, Answers: 1},
	"timestamps":  {Duty: "tso", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Values: 2, Reserves: true, Renews: true, Stops: true, Drift: 200},
	"belief":      {Duty: "tso", Holders: 3, Eras: 2, Lasts: 2, InFlight: 1, Values: 2, Reserves: true, Renews: true, Stops: true, Drift: 200},
}

func TestEveryReachableStateKeepsThePromises(t *testing.T) {
	for name, b := range within {
		t.Run(name, func(t *testing.T) {
			if report := run(t, b, tenuremodel.Real()); report.Failure != nil {
				t.Error(report.Failure)
			}
		})
	}
}
