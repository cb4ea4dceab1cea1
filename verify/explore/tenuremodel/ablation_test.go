package tenuremodel_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/explore/tenuremodel"
)

// unsealed grants an era in an active one's place and leaves that one active, as a
// takeover does that forgets the crash.
func unsealed(l tenure.Lineage, now tenure.Now, e tenure.Event) (tenure.Lineage, *candor.Error) {
	after, err := l.Apply(now, e)
	campaign, ok := e.(tenure.Campaign)
	if err != nil || !ok || l.Current.State != tenure.StateActive || after.Current.Number == l.Current.Number {
		return after, err
	}
	after.Unfinished = slices.Clone(after.Unfinished)
	after.Unfinished[len(after.Unfinished)-1] = l.Current
	after.Current.Start, after.Current.Bound = campaign.Start, campaign.Start
	return after, nil
}

// anyActive is the fence over lineages that unsealed made.
func anyActive(l tenure.Lineage, era uint64) *candor.Error {
	for _, x := range l.Eras() {
		if x.Number == era && x.State == tenure.StateActive {
			return nil
		}
	}
	return l.Fence(era)
}

// uninherited grants every era from nothing.
func uninherited(l tenure.Lineage, now tenure.Now, e tenure.Event) (tenure.Lineage, *candor.Error) {
	after, err := l.Apply(now, e)
	if err == nil && after.Current.Number != l.Current.Number {
		after.Current.Start, after.Current.Bound = tenure.Frontiers{}, tenure.Frontiers{}
	}
	return after, err
}

// Each rule, taken away alone, must let the explorer find what it is there for, as
// seen from outside: without the checks over lineages, and by the shortest way.
func TestWithoutARuleAPromiseBreaks(t *testing.T) {
	for _, row := range []struct {
		without string
		within  string
		take    func(r *tenuremodel.Rules)
		broken  string
		steps   int
	}{
		{
			"the fence", "late writes", func(r *tenuremodel.Rules) {
				r.Fence = func(tenure.Lineage, uint64) *candor.Error { return nil }
			}, "a write of era 1 is accepted after era 1 ended", 6,
		},
		{
			"the seal, and a write comes late", "late writes", func(r *tenuremodel.Rules) { r.Apply, r.Fence = unsealed, anyActive },
			"a write of era 1 is accepted after era 1 ended", 7,
		},
		{
			"the seal, and a reservation comes late", "late ids", func(r *tenuremodel.Rules) { r.Apply, r.Fence = unsealed, anyActive },
			"1 is handed out twice", 11,
		},
		{"inheritance", "ids", func(r *tenuremodel.Rules) { r.Apply = uninherited }, "1 is handed out twice", 11},
		{
			"the client's era floor", "client", func(r *tenuremodel.Rules) { r.Takes = func(_, _ uint64) bool { return true } },
			"the client takes an answer of era 1 after one of era 2", 13,
		},
		{"stopping before the seal", "ids", func(r *tenuremodel.Rules) { r.Drains = false }, "1 is handed out twice", 12},
		{
			"a belief that ends", "belief", func(r *tenuremodel.Rules) {
				r.Believes = func(tenure.Belief, int64, uint32) bool { return true }
			}, "timestamp 1 is handed out after 2", 12,
		},
		{"counting belief from the first sending", "belief", func(r *tenuremodel.Rules) { r.CountsFirst = false }, "timestamp 1 is handed out after 2", 14},
		{
			"anybody who confirms and closes", "handovers", func(r *tenuremodel.Rules) {
				r.Pending = func(tenure.Lineage, string) tenure.Event { return nil }
			}, "every handover can end", 4,
		},
	} {
		t.Run(strings.ReplaceAll(row.without, " ", "_"), func(t *testing.T) {
			rules := tenuremodel.Real()
			rules.Check = nil
			row.take(&rules)
			report := run(t, within[row.within], rules)
			if report.Failure == nil || !strings.Contains(report.Failure.Broken, row.broken) {
				t.Fatalf("without %s: want %q, got %v", row.without, row.broken, report.Failure)
			}
			if len(report.Failure.Steps) != row.steps {
				t.Errorf("without %s: want a way of %d steps, got %d", row.without, row.steps, len(report.Failure.Steps))
			}
		})
	}
}
