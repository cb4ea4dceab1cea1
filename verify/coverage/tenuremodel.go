package coverage

import (
	"time"

	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
	"github.com/candor-plane/candor/verify/explore/tenuremodel"
)

// tenureBounds are within which duties are explored: together they let holders do all
// that they may.
var tenureBounds = []tenuremodel.Bounds{
	{Duty: tenure.DutyIDs, Holders: 2, Eras: 3, Lasts: 1, InFlight: 1, Renews: true, Releases: true, Transfers: true},
	{Duty: tenure.DutyIDs, Holders: 2, Eras: 2, Lasts: 1, InFlight: 1, Values: 1, Reserves: true, Renews: true, Releases: true, Transfers: true, Leaders: true},
}

func exploreTenures(c *Coverage) error {
	for _, b := range tenureBounds {
		w := walker[tenuremodel.World, tenuremodel.Action]{
			model: &tenuremodel.Model{Bounds: b, Rules: tenuremodel.Real()},
			by:    "tenures: " + b.String(),
			steps: func(before tenuremodel.World, _ tenuremodel.Action, after tenuremodel.World) []lifecycle.Step {
				if before.Lineage == after.Lineage && before.Clock == after.Clock {
					return nil
				}
				return only(ofDuty(*before.Lineage, nil, *after.Lineage, int64(time.Duration(before.Clock)*time.Second), int64(time.Duration(after.Clock)*time.Second)))
			},
			tells: func(key []byte, w tenuremodel.World) []byte {
				for _, x := range w.Lineage.Eras() {
					key = append(key, eraState(&x)...)
				}
				return key
			},
		}
		if err := w.run(c); err != nil {
			return err
		}
	}
	return nil
}
