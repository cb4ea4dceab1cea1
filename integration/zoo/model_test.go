//go:build zoo

package zoo_test

import (
	"fmt"
	"testing"

	"github.com/candor-plane/candor/verify/explore"
	"github.com/candor-plane/candor/verify/explore/tenuremodel"
)

const model = "the model of tenures"

// models are bounds within which tenures' mistakes show.
var models = map[string]tenuremodel.Bounds{
	"late ids": {Duty: "ids", Holders: 3, Eras: 2, Lasts: 1, InFlight: 2, Values: 1, Reserves: true},
	"belief":   {Duty: "tso", Holders: 3, Eras: 2, Lasts: 2, InFlight: 1, Values: 2, Reserves: true, Renews: true, Stops: true, Drift: 200},
}

// explored is the shortest way to what a model refuses.
func explored(t *testing.T, name string) (catch, bool) {
	t.Helper()
	m := &tenuremodel.Model{Bounds: models[name], Rules: tenuremodel.Real()}
	report, err := explore.Run(m, explore.Options[tenuremodel.World, tenuremodel.Action]{MaxStates: 1_000_000})
	if err != nil {
		t.Log(err)
		return catch{}, false
	}
	if report.Failure == nil {
		return catch{}, false
	}
	return catch{
		layer: "X", check: "exploration", property: model, detail: report.Failure.Broken,
		soon: fmt.Sprintf("in %d steps, among %d states", len(report.Failure.Steps), report.States),
	}, true
}
