package transitionmodel_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/verify/explore"
	"github.com/candor-plane/candor/verify/explore/transitionmodel"
)

type (
	bounds  = transitionmodel.Bounds
	request = transitionmodel.Request
	world   = transitionmodel.World
	action  = transitionmodel.Action
)

func add(id string) request {
	return request{Change: topology.Change{Kind: topology.Add, Server: id, Address: "at-" + id}}
}

func change(kind topology.Kind, id string) request {
	return request{Change: topology.Change{Kind: kind, Server: id}}
}

func replace(id, with string) request {
	return request{Change: topology.Change{Kind: topology.Replace, Server: id, With: with, Address: "at-" + with}}
}

var (
	three = []string{"a", "b", "c"}
	four  = []string{"a", "b", "c", "d"}
)

// within are the bounds of the runs that must hold, and of those that must not.
var within = map[string]bounds{
	"removals":    {Voters: four, Silent: []string{"d"}, Requests: []request{change(topology.Remove, "b"), change(topology.Remove, "c")}, InFlight: 1},
	"silence":     {Voters: three, Fail: []string{"c"}, Requests: []request{change(topology.Remove, "b")}, Eras: 1, InFlight: 1},
	"replacement": {Voters: three, Requests: []request{replace("c", "d")}, Eras: 1, InFlight: 1},
	"leader":      {Voters: three, Requests: []request{change(topology.Remove, "a")}, Eras: 2, Elects: true, InFlight: 1},
	"again":       {Voters: three, Requests: []request{add("d"), add("d"), {Cancels: 1, Assessed: true}}, Eras: 1, InFlight: 2},
	"named":       {Voters: three, Requests: []request{add("d"), add("d"), {Cancels: 1}}, Eras: 1, InFlight: 1},
	"cancel":      {Voters: three, Requests: []request{replace("c", "d"), {Cancels: 1}}, Eras: 1, InFlight: 1},
	"superseding": {Voters: three, Requests: []request{add("d"), change(topology.Remove, "c")}, Supersedes: true, InFlight: 1},
}

// beyond are wider ones, for make explore.
var beyond = map[string]bounds{
	"removals":    {Voters: four, Silent: []string{"d"}, Fail: []string{"d"}, Requests: []request{change(topology.Remove, "b"), change(topology.Remove, "c")}, Eras: 1, InFlight: 1},
	"replacement": {Voters: three, Fail: []string{"b"}, Requests: []request{replace("c", "d")}, Eras: 2, InFlight: 1},
	"leader":      {Voters: three, Requests: []request{replace("a", "d")}, Eras: 1, Elects: true, InFlight: 1},
	"cancel":      {Voters: three, Requests: []request{replace("c", "d"), {Cancels: 1}}, Eras: 1, InFlight: 2},
	"superseding": {Voters: three, Requests: []request{change(topology.Remove, "c"), replace("c", "d")}, Supersedes: true, InFlight: 1},
}

func run(t *testing.T, b bounds, rules transitionmodel.Rules, most int) explore.Report {
	t.Helper()
	began := time.Now()
	report, err := explore.Run(&transitionmodel.Model{Bounds: b, Rules: rules}, explore.Options[world, action]{
		MaxStates: most, Goals: []explore.Goal[world, action]{transitionmodel.EveryTransitionEnds()},
	})
	t.Logf("%s\n%s\nin %s", &b, report, time.Since(began).Round(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestEveryReachableStateKeepsThePromises(t *testing.T) {
	for name, b := range within {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if testing.Short() && (name == "superseding" || name == "leader") {
				t.Skip("takes seconds: left to a run without -short")
			}
			if report := run(t, b, transitionmodel.Real(), 200_000); report.Failure != nil {
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
			if report := run(t, b, transitionmodel.Real(), 10_000_000); report.Failure != nil {
				t.Error(report.Failure)
			}
		})
	}
}
