package tenuremodel_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor/verify/explore"
	"github.com/candor-plane/candor/verify/explore/tenuremodel"
)

type (
	bounds = tenuremodel.Bounds
	ending = explore.Ending[tenuremodel.World, tenuremodel.Action]
)

// handoversCanEnd but for those to the last era that the bounds grant: a crash may
// leave it, and nobody follows.
func handoversCanEnd(b bounds) ending {
	return ending{Name: "every handover can end", Owed: b.Owed, Done: tenuremodel.Ended, Fault: tenuremodel.Action.Fault}
}

func run(t *testing.T, b bounds, rules tenuremodel.Rules) explore.Report {
	t.Helper()
	model := &tenuremodel.Model{Bounds: b, Rules: rules}
	began := time.Now()
	report, err := explore.Run(model, explore.Options[tenuremodel.World, tenuremodel.Action]{MaxStates: 10_000_000, Endings: []ending{handoversCanEnd(b)}})
	t.Logf("%s\n%s\nin %s", b, report, time.Since(began).Round(time.Millisecond))
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
	"ids":         {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Values: 2, Reserves: true},
	"late ids":    {Duty: "ids", Holders: 3, Eras: 2, Lasts: 1, InFlight: 2, Values: 1, Reserves: true},
	"client":      {Duty: "ids", Holders: 3, Eras: 2, Lasts: 1, InFlight: 1, Values: 2, Reserves: true, Answers: 1},
	"timestamps":  {Duty: "tso", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Values: 2, Reserves: true, Stops: true, Drift: 200},
	"belief":      {Duty: "tso", Holders: 3, Eras: 2, Lasts: 2, InFlight: 1, Values: 2, Reserves: true, Renews: true, Stops: true, Drift: 200},
}

// beyond are wider ones, for make explore.
var beyond = map[string]bounds{
	"handovers":   {Duty: "ids", Holders: 3, Eras: 4, Lasts: 1, InFlight: 2, Releases: true},
	"late writes": {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 2, Writes: true, Releases: true, Renews: true},
	"leaders":     {Duty: "ids", Holders: 3, Eras: 3, Lasts: 2, InFlight: 1, Writes: true, Renews: true, Releases: true, Transfers: true, Leaders: true},
	"ids":         {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Values: 3, Reserves: true},
	"client":      {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Values: 2, Reserves: true, Answers: 2},
	"timestamps":  {Duty: "tso", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Values: 2, Reserves: true, Renews: true, Stops: true, Drift: 200},
}

func TestEveryReachableStateKeepsThePromises(t *testing.T) {
	for name, b := range within {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if testing.Short() && (name == "ids" || name == "client" || name == "timestamps") {
				t.Skip("takes seconds: left to a run without -short")
			}
			if report := run(t, b, tenuremodel.Real()); report.Failure != nil {
				t.Error(report.Failure)
			}
		})
	}
}

func TestBeyondTheBoundsOfEveryDay(t *testing.T) {
	if os.Getenv("CANDOR_EXPLORE") == "" {
		t.Skip("takes minutes: make explore")
	}
	for name, b := range beyond {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if report := run(t, b, tenuremodel.Real()); report.Failure != nil {
				t.Error(report.Failure)
			}
		})
	}
}
