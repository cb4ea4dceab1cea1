package transitionmodel_test

import (
	"strings"
	"testing"

	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/explore/transitionmodel"
)

// judged changes what an event is judged by, before production's rule sees it.
func judged(change func(f *transition.Facts, e *transition.Event, revision uint64)) func(r *transitionmodel.Rules) {
	return func(r *transitionmodel.Rules) {
		r.Publish = func(f transition.Facts, e *transition.Event, revision uint64) (transition.Entry, transition.Verdict) {
			event := *e
			change(&f, &event, revision)
			return transition.Publish(f, &event, revision)
		}
	}
}

// Each rule, taken away alone, must let the explorer find what it is there for, by the
// shortest way.
func TestWithoutARuleAPromiseBreaks(t *testing.T) {
	for _, row := range []struct {
		without string
		within  string
		take    func(r *transitionmodel.Rules)
		broken  string
		steps   int
	}{
		{"the expected token", "again", judged(func(_ *transition.Facts, e *transition.Event, _ uint64) {
			e.Expect = 0
		}), "an event about member-add d of revision 2 ends member-add d of revision 4", 7},
		{"truth that is derived", "silence", judged(func(f *transition.Facts, e *transition.Event, _ uint64) {
			if e.Type == transition.EventTerminal {
				f.Satisfied = e.Phase.Succeeded()
				f.Entry.Pending.Shown = 0
			}
		}), "member-remove b ends as FAILED, and the members show it", 9},
		{"an ID for each planning turn", "again", func(r *transitionmodel.Rules) {
			r.ID = func(kind transition.Kind, target string, _ uint64) string { return transition.ID(kind, target, 0) }
		}, "TransitionIdentity", 6},
		{"saying which one is meant", "named", judged(func(f *transition.Facts, e *transition.Event, _ uint64) {
			if e.Type != transition.EventPlan {
				e.Planned = f.Entry.Pending.Planned
			}
		}), "an event about member-add d of revision 2 ends member-add d of revision 4", 9},
		{"refusing to cancel what has happened", "named", judged(func(f *transition.Facts, e *transition.Event, _ uint64) {
			if e.Type == transition.EventCancel {
				f.Satisfied, f.Entry.Pending.Shown = false, 0
			}
		}), "member-add d ends as CANCELLED, and the members show it", 6},
		{"the configuration that a change expects", "removals", func(r *transitionmodel.Rules) {
			r.Changes = func(_, _ uint64) bool { return true }
		}, "costs the quorum of those who answered", 8},
		{"what the planner had read", "again", judged(func(_ *transition.Facts, e *transition.Event, revision uint64) {
			if e.Type == transition.EventPlan {
				e.Source = revision - 1
			}
		}), "one plan begins two transitions", 5},
		{"an end that is final", "named", func(r *transitionmodel.Rules) {
			r.Publish = func(f transition.Facts, e *transition.Event, revision uint64) (transition.Entry, transition.Verdict) {
				next, v := transition.Publish(f, e, revision)
				if e.Type != transition.EventPlan && v.Action == transition.ActionApply {
					next.Pending = f.Entry.Pending
				}
				return next, v
			}
		}, "ForwardOnlyOutcome", 5},
		{"writing the end before it counts", "named", func(r *transitionmodel.Rules) {
			r.End = func(s transition.Status, v transition.Verdict, e *transition.Event, revision uint64, now int64, report transition.Journal) transition.Status {
				after := s.End(v, e, revision, now, report)
				after.Publish = transition.PublishPending
				return after
			}
		}, "NoSkippedPublish", 4},
	} {
		t.Run(strings.ReplaceAll(row.without, " ", "_"), func(t *testing.T) {
			rules := transitionmodel.Real()
			row.take(&rules)
			failure := run(t, within[row.within], rules, 1_000_000).Failure
			if failure == nil || !strings.Contains(failure.Broken, row.broken) {
				t.Fatalf("without %s: want %q, got %v", row.without, row.broken, failure)
			}
			if len(failure.Steps) != row.steps {
				t.Errorf("without %s: want a way of %d steps, got %d", row.without, row.steps, len(failure.Steps))
			}
		})
	}
}

// An executor that leaves a thing undone must leave a transition without an end.
func TestAnExecutorThatLeavesAThingUndoneLeavesATransitionUnended(t *testing.T) {
	for _, row := range []struct {
		executor string
		sees     func(pending []transition.Transition) []transition.Transition
		steps    int
	}{
		{"passes over steps that were planned before", func(pending []transition.Transition) []transition.Transition {
			var out []transition.Transition
			for _, t := range pending {
				if t.Plan.Parent == "" {
					out = append(out, t)
				}
			}
			return out
		}, 4},
		{"works at the oldest alone", func(pending []transition.Transition) []transition.Transition {
			return pending[:min(1, len(pending))]
		}, 4},
	} {
		t.Run(strings.ReplaceAll(row.executor, " ", "_"), func(t *testing.T) {
			rules := transitionmodel.Real()
			rules.Sees = row.sees
			failure := run(t, within["replacement"], rules, 1_000_000).Failure
			if failure == nil || !strings.Contains(failure.Broken, "every planned transition ends") || len(failure.Cycle) == 0 {
				t.Fatalf("an executor that %s: want a fair cycle, got %v", row.executor, failure)
			}
			if len(failure.Steps) != row.steps {
				t.Errorf("an executor that %s: want a way of %d steps, got %d", row.executor, row.steps, len(failure.Steps))
			}
		})
	}
}

// What is not promised: Raft may have taken a change whose cancellation the root takes
// then, and it is made. The explorer shows the way, so that nobody takes CANCELLED for
// more than that the root gave the plan up before it saw the change.
func TestAChangeThatWasGivenUpMayBeMadeAfterwards(t *testing.T) {
	rules := transitionmodel.Real()
	rules.Late = true
	failure := run(t, within["named"], rules, 1_000_000).Failure
	if failure == nil || !strings.Contains(failure.Broken, "member-add d was CANCELLED, and is made afterwards") {
		t.Errorf("want it to be found, got %v: say so in docs/protocol.md, and promise it", failure)
	}
}
