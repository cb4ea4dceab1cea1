package tenuremodel_test

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/explore"
	"github.com/candor-plane/candor/verify/explore/tenuremodel"
)

// lively are the bounds of the search for fair cycles: holders have names, and every
// step is kept.
var lively = map[string]bounds{
	"handovers": {Duty: "ids", Holders: 3, Eras: 3, Lasts: 1, InFlight: 1, Releases: true, Transfers: true, Named: true},
	"renewals":  {Duty: "ids", Holders: 2, Eras: 4, Lasts: 2, InFlight: 1, Renews: true, Writes: true, Named: true},
	"leaders":   {Duty: "ids", Holders: 2, Eras: 3, Lasts: 1, InFlight: 1, Leaders: true, Stops: true, Releases: true, Named: true},
}

func lookout(t *testing.T, b bounds, rules tenuremodel.Rules) explore.Report {
	t.Helper()
	began := time.Now()
	report, err := explore.Run(&tenuremodel.Model{Bounds: b, Rules: rules}, explore.Options[tenuremodel.World, tenuremodel.Action]{
		MaxStates: 1_000_000, Goals: []explore.Goal[tenuremodel.World, tenuremodel.Action]{tenuremodel.HandoversEnd(b)},
	})
	t.Logf("%s\n%s\nin %s", b, report, time.Since(began).Round(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestNoFairCycleKeepsAHandoverFromItsEnd(t *testing.T) {
	for name, b := range lively {
		t.Run(name, func(t *testing.T) {
			if report := lookout(t, b, tenuremodel.Real()); report.Failure != nil {
				t.Error(report.Failure)
			}
		})
	}
}

// Each keeper that leaves a thing undone must leave a handover without an end.
func TestAKeeperThatLeavesAThingUndoneLeavesAHandoverUnended(t *testing.T) {
	for _, row := range []struct {
		keeper string
		within string
		take   func(r *tenuremodel.Rules)
		steps  int
	}{
		{"confirms nothing", "handovers", func(r *tenuremodel.Rules) {
			r.Pending = func(tenure.Lineage, string) tenure.Event { return nil }
		}, 6},
		{"confirms and does not close", "handovers", func(r *tenuremodel.Rules) {
			r.Pending = func(l tenure.Lineage, holder string) tenure.Event {
				if e, ok := l.Pending(holder).(tenure.Confirm); ok {
					return e
				}
				return nil
			}
		}, 8},
		{"passes over what an earlier era left unfinished", "renewals", func(r *tenuremodel.Rules) {
			r.Pending = func(l tenure.Lineage, holder string) tenure.Event {
				if len(l.Unfinished) > 1 {
					return nil
				}
				return l.Pending(holder)
			}
		}, 10},
		{"waits for the seal of a holder that crashed", "leaders", func(r *tenuremodel.Rules) {
			r.Apply = func(l tenure.Lineage, now tenure.Now, e tenure.Event) (tenure.Lineage, *candor.Error) {
				after, err := l.Apply(now, e)
				if err == nil && l.Current.State == tenure.StateActive && after.Current.Number != l.Current.Number {
					return l, candor.Errorf(candor.ReasonTenureHeld, "era %d is not sealed", l.Current.Number)
				}
				return after, err
			}
		}, 8},
	} {
		t.Run(strings.ReplaceAll(row.keeper, " ", "_"), func(t *testing.T) {
			rules := tenuremodel.Real()
			rules.Check = nil
			row.take(&rules)
			failure := lookout(t, lively[row.within], rules).Failure
			if failure == nil || !strings.Contains(failure.Broken, "every handover ends") || len(failure.Cycle) == 0 {
				t.Fatalf("a keeper that %s: want a fair cycle, got %v", row.keeper, failure)
			}
			if len(failure.Steps) != row.steps {
				t.Errorf("a keeper that %s: want a way of %d steps, got %d", row.keeper, row.steps, len(failure.Steps))
			}
		})
	}
}
