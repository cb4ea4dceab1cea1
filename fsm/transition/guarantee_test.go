package transition_test

import (
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

func planned() transition.Plan {
	return transition.Plan{
		Kind: transition.MemberRemove, Target: "n2", Revision: 12, Source: candor.Token{Term: 3, Index: 40, Revision: 11},
		Intent: transition.Membership{Force: true}.Intent(), Duty: "topology", Era: 4, PlannedAt: 100, Deadline: 900, PhaseLimit: 200,
		Configuration: 38, Retry: candor.RetryLater, Parent: "member-replace-1", Actor: "client/ann", Reason: "OPERATOR", Message: `say "gone"` + "\n",
	}
}

func ended(phase transition.Phase) transition.Status {
	plan := planned()
	return plan.Status().End(transition.Verdict{Phase: phase}, &transition.Event{}, 20, 500, transition.Journal{})
}

// TestAGuaranteeFindsWhatBreaksIt: each fails for its own reason, so a check that
// finds nothing has been seen to find something.
func TestAGuaranteeFindsWhatBreaksIt(t *testing.T) {
	pending := func() *transition.Transition { return &transition.Transition{Plan: planned(), Status: begun()} }
	done := func() *transition.Transition {
		return &transition.Transition{Plan: planned(), Status: ended(transition.PhasePublished)}
	}
	changed := func(t *transition.Transition, change func(*transition.Transition)) *transition.Transition {
		change(t)
		return t
	}
	for name, test := range map[string]struct {
		guarantee     string
		before, after *transition.Transition
	}{
		"another target":               {"TransitionIdentity", pending(), changed(pending(), func(t *transition.Transition) { t.Plan.Target = "n3" })},
		"another intent":               {"TransitionIdentity", pending(), changed(pending(), func(t *transition.Transition) { t.Plan.Intent = []byte("{}") })},
		"a later deadline":             {"TransitionIdentity", pending(), changed(pending(), func(t *transition.Transition) { t.Plan.Deadline++ })},
		"back to planned":              {"ForwardOnlyOutcome", changed(pending(), func(t *transition.Transition) { t.Status.Phase = transition.PhaseApplied }), pending()},
		"a second end":                 {"ForwardOnlyOutcome", done(), &transition.Transition{Plan: planned(), Status: ended(transition.PhaseFailed)}},
		"another outcome":              {"ForwardOnlyOutcome", changed(pending(), func(t *transition.Transition) { t.Status.Outcome = transition.OutcomeFailed }), changed(pending(), func(t *transition.Transition) { t.Status.Outcome = transition.OutcomeApplied })},
		"time backward":                {"ForwardOnlyOutcome", nil, changed(pending(), func(t *transition.Transition) { t.Status.Times.Admitted = 1 })},
		"an end that is in no turn":    {"NoSkippedPublish", pending(), changed(done(), func(t *transition.Transition) { t.Status.Revision = 0 })},
		"an end that is not published": {"NoSkippedPublish", pending(), changed(done(), func(t *transition.Transition) { t.Status.Publish = transition.PublishPending })},
		"applied and owing nothing": {"NoSkippedPublish", pending(), changed(pending(), func(t *transition.Transition) {
			t.Status.Phase, t.Status.Publish = transition.PhaseApplied, transition.PublishNotRequired
		})},
		"gone while pending":            {"NoHiddenDrop", pending(), nil},
		"gone before it was published":  {"NoHiddenDrop", changed(done(), func(t *transition.Transition) { t.Status.Publish = transition.PublishFailed }), nil},
		"a published end is taken back": {"ForwardOnlyOutcome", done(), changed(done(), func(t *transition.Transition) { t.Status.Publish = transition.PublishFailed })},
	} {
		found := false
		for _, g := range transition.Guarantees() {
			if g.Name == test.guarantee {
				found = g.Check(test.before, test.after) != ""
			}
		}
		if !found {
			t.Errorf("%s: %s finds nothing", name, test.guarantee)
		}
	}
	for _, g := range transition.Guarantees() {
		for _, step := range [][2]*transition.Transition{{nil, pending()}, {pending(), pending()}, {pending(), done()}, {done(), done()}, {done(), nil}} {
			if wrong := g.Check(step[0], step[1]); wrong != "" {
				t.Errorf("%s of a good step: %s", g.Name, wrong)
			}
		}
	}
}

func begun() transition.Status {
	plan := planned()
	return plan.Status()
}

// TestAMergedViewOnlyMovesForward while executors work, crash and begin again.
func TestAMergedViewOnlyMovesForward(t *testing.T) {
	plan := planned()
	id := plan.ID()
	old := transition.Journal{ID: id, Executor: "n1", Phase: transition.PhaseAdmitted, Times: transition.Times{Admitted: 90}, Publish: transition.PublishPending}
	executing := old
	executing.Phase, executing.Times.Executing, executing.Outcome = transition.PhaseExecuting, 140, transition.OutcomeProposed
	young := transition.Journal{ID: id, Executor: "n3", Phase: transition.PhaseAdmitted, Times: transition.Times{Admitted: 300}, Outcome: transition.OutcomeQueued}
	applied := young
	applied.Phase, applied.Times.Applied, applied.Outcome = transition.PhasePublished, 400, transition.OutcomeApplied
	refused := applied
	refused.Publish, refused.Reason = transition.PublishFailed, candor.ReasonNotLeader
	foreign := transition.Journal{ID: "other", Phase: transition.PhaseApplied}
	steps := []struct {
		root     transition.Status
		journals []transition.Journal
		phase    transition.Phase
		publish  transition.PublishState
	}{
		{begun(), nil, transition.PhasePlanned, transition.PublishPending},
		{begun(), []transition.Journal{foreign, old}, transition.PhaseAdmitted, transition.PublishPending},
		{begun(), []transition.Journal{executing}, transition.PhaseExecuting, transition.PublishPending},
		{begun(), []transition.Journal{executing, young}, transition.PhaseExecuting, transition.PublishPending},
		{begun(), []transition.Journal{executing, applied}, transition.PhaseApplied, transition.PublishPending},
		{begun(), []transition.Journal{executing, refused}, transition.PhaseApplied, transition.PublishFailed},
		{ended(transition.PhasePublished), []transition.Journal{executing, refused}, transition.PhasePublished, transition.PublishDone},
		{ended(transition.PhasePublished), nil, transition.PhasePublished, transition.PublishDone},
	}
	var before *transition.Transition
	for i, s := range steps {
		after := transition.Merge(plan, s.root, s.journals...)
		if after.Status.Phase != s.phase || after.Status.Publish != s.publish {
			t.Errorf("step %d shows %s, %s", i, after.Status.Phase, after.Status.Publish)
		}
		for _, g := range transition.Guarantees() {
			if g.Name == "ForwardOnlyOutcome" && i == len(steps)-1 {
				continue // the journals are lost
			}
			if wrong := g.Check(before, &after); wrong != "" {
				t.Errorf("step %d: %s: %s", i, g.Name, wrong)
			}
		}
		before = &after
	}
}

func TestATransitionThatPassedItsDeadlineSaysWhyAndWhatNext(t *testing.T) {
	plan := planned()
	journal := transition.Journal{ID: plan.ID(), Phase: transition.PhaseExecuting, Times: transition.Times{Executing: 300}}
	executing := transition.Merge(plan, begun(), journal)
	if s := executing.Overdue(500, true); s != nil {
		t.Errorf("within its time: %+v", s)
	}
	if s := executing.Overdue(501, true); s == nil || *s != (transition.Stalled{Cause: transition.CauseExecutionOverdue, Since: 300, Deadline: 500, Next: transition.NextRetry}) {
		t.Errorf("past its phase's limit: %+v", s)
	}
	if s := executing.Overdue(501, false); s == nil || s.Cause != transition.CauseNoHolder || s.Next != transition.NextAwaitHolder {
		t.Errorf("without a holder: %+v", s)
	}
	journal.Phase, journal.Times.Applied = transition.PhaseApplied, 850
	applied := transition.Merge(plan, begun(), journal)
	if s := applied.Overdue(901, true); s == nil || s.Deadline != 900 || s.Cause != transition.CauseNotPublished || s.Next != transition.NextPublish {
		t.Errorf("past the plan's deadline: %+v", s)
	}
	journal.Publish = transition.PublishFailed
	refused := transition.Merge(plan, begun(), journal)
	if s := refused.Overdue(901, true); s == nil || s.Cause != transition.CausePublishFailed || s.Next != transition.NextReassess {
		t.Errorf("refused: %+v", s)
	}
	for _, phase := range ends {
		done := transition.Transition{Plan: plan, Status: ended(phase)}
		if s := done.Overdue(1<<60, false); s != nil {
			t.Errorf("%s is shown as stalled: %+v", phase, s)
		}
		if done.Status.Disposable(509, 10) || !done.Status.Disposable(510, 10) {
			t.Errorf("%s is kept too long or too short", phase)
		}
	}
	plan.Retry = candor.RetryNever
	journal.Phase, journal.Publish = transition.PhaseExecuting, transition.PublishPending
	stuck := transition.Merge(plan, begun(), journal)
	if s := stuck.Overdue(901, true); s == nil || s.Next != transition.NextOperator {
		t.Errorf("never repeated: %+v", s)
	}
}

// TestNoRefusalIsForGood for every class: a change of leader, era or token brings the
// attempt back, and without one every class but NEVER comes back by itself.
func TestNoRefusalIsForGood(t *testing.T) {
	seen := transition.Surroundings{Leader: "n1", Era: 4, Token: candor.Token{Term: 1, Index: 10, Revision: 5}}
	classes := []candor.RetryClass{
		candor.RetrySameNode, candor.RetryLeader, candor.RetryOtherNode, candor.RetryWaitForToken, candor.RetryLater,
		candor.RetryAcceptStale, candor.RetryNever, candor.RetryOutcomeUnknown, "SOMETHING_NEWER",
	}
	for _, class := range classes {
		attempt := transition.Attempt{Retry: class, At: 1000, Count: 3, Seen: seen, Required: candor.Token{Index: 12, Revision: 6}}
		still := transition.Retry(attempt, 1001, seen)
		if still.Now || still.Reassess {
			t.Errorf("%s: at once: %+v", class, still)
		}
		if never := class == candor.RetryNever; never != (still.At == 0) || never == transition.Retry(attempt, still.At, seen).Now {
			t.Errorf("%s: by itself: %+v", class, still)
		}
		for name, change := range map[string]func(*transition.Surroundings){
			"leader": func(s *transition.Surroundings) { s.Leader = "n2" },
			"era":    func(s *transition.Surroundings) { s.Era++ },
			"token":  func(s *transition.Surroundings) { s.Token.Index, s.Token.Revision = 12, 6 },
		} {
			now := seen
			change(&now)
			if again := transition.Retry(attempt, 1001, now); !again.Reassess || class == candor.RetryNever && !again.Now {
				t.Errorf("%s: another %s: %+v", class, name, again)
			}
		}
	}
	toLeader := transition.Attempt{Retry: candor.RetryLeader, At: 1000, Count: 1, Seen: seen}
	if transition.Retry(toLeader, 1001, transition.Surroundings{Era: 4, Token: seen.Token}).Now {
		t.Error("tried again while nobody leads")
	}
	if !transition.Retry(toLeader, 1001, transition.Surroundings{Leader: "n2", Era: 4, Token: seen.Token}).Now {
		t.Error("not tried again although another leads")
	}
	if a, b := transition.Retry(transition.Attempt{Count: 50}, 0, seen), transition.Retry(transition.Attempt{Count: 2}, 0, seen); a.At != 10e9 || b.At != 200e6 {
		t.Errorf("pauses %d and %d", a.At, b.At)
	}
}
