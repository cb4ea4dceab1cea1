package transition_test

import (
	"fmt"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

func event(kind transition.EventType, planned, source uint64, phase transition.Phase) *transition.Event {
	return &transition.Event{Type: kind, Kind: plain, Target: target, Intent: intentA, Planned: planned, Source: source, Phase: phase}
}

func apply(t *testing.T, entry transition.Entry, e *transition.Event, revision uint64) transition.Entry {
	t.Helper()
	next, v := transition.Publish(transition.Facts{Entry: entry}, e, revision)
	if v.Action != transition.ActionApply {
		t.Fatalf("%+v: %+v", e, v)
	}
	return next
}

func TestARepeatedOperationIsANewTransitionAndALateDuplicateNone(t *testing.T) {
	first := event(transition.EventPlan, 0, 10, "")
	entry := apply(t, transition.Entry{}, first, 11)
	id := entry.Pending.ID
	entry = apply(t, entry, event(transition.EventTerminal, 11, 0, transition.PhasePublished), 12)
	if v := transition.Assess(transition.Facts{Entry: entry}, first); v.Action != transition.ActionSkip || v.Phase != transition.PhaseCompleted || v.Standing != id {
		t.Errorf("the first plan again: %+v", v)
	}
	entry = apply(t, entry, event(transition.EventPlan, 0, 12, ""), 13)
	if entry.Pending.ID == id {
		t.Error("the repeated operation is the same transition")
	}
	entry = apply(t, entry, event(transition.EventCancel, 13, 0, ""), 14)
	if v := transition.Assess(transition.Facts{Entry: entry}, event(transition.EventPlan, 0, 12, "")); v.Phase != transition.PhaseSuperseded {
		t.Errorf("a plan that was cancelled, come late: %+v", v)
	}
	for _, late := range []*transition.Event{event(transition.EventTerminal, 11, 0, transition.PhaseFailed), event(transition.EventCancel, 11, 0, "")} {
		if v := transition.Assess(transition.Facts{Entry: entry}, late); v.Situation != transition.SituationSuperseded || v.Standing != entry.Ended.ID {
			t.Errorf("a %s of the first one, come late: %+v", late.Type, v)
		}
	}
}

func TestTheRootKnowsBetterThanAnExecutor(t *testing.T) {
	configuration := transition.Configuration{Index: 7, Servers: []transition.Server{{ID: "n1", Voter: true}}}
	m := transition.Membership{Address: "a4"}
	of := func(kind transition.EventType, planned uint64, phase transition.Phase) *transition.Event {
		return &transition.Event{
			Type: kind, Kind: derived, Target: target, Planned: planned, Source: 4 * (1 - min(planned, 1)), Phase: phase,
			Intent: transition.IntentDigest(derived, target, m.Intent()),
		}
	}
	entry := apply(t, transition.Entry{}, of(transition.EventPlan, 0, ""), 5)
	success := of(transition.EventTerminal, 5, transition.PhasePublished)
	if v := transition.Assess(transition.Facts{Entry: entry}, success); v.Action != transition.ActionRefuse {
		t.Errorf("a success that the configuration does not show: %+v", v)
	}
	configuration.Index = 8
	configuration.Servers = append(configuration.Servers, transition.Server{ID: target, Address: "a4"})
	entry = transition.Observe(entry, derived, target, m, configuration, 8)
	if entry = transition.Observe(entry, derived, target, m, configuration, 10); entry.Pending.Shown != 8 {
		t.Fatalf("not observed: %+v", entry)
	}
	// It goes again; that it was there stays true.
	configuration.Index, configuration.Servers = 9, configuration.Servers[:1]
	entry = transition.Observe(entry, derived, target, m, configuration, 9)
	if v := transition.Assess(transition.Facts{Entry: entry}, of(transition.EventCancel, 5, "")); v.Action != transition.ActionRefuse || v.Phase != transition.PhaseAborted {
		t.Errorf("a cancellation of what has happened: %+v", v)
	}
	after, v := transition.Publish(transition.Facts{Entry: entry}, of(transition.EventTerminal, 5, transition.PhaseFailed), 10)
	if v.Phase != transition.PhasePublished || after.Ended.Phase != transition.PhasePublished {
		t.Errorf("a failure that the configuration contradicts: %+v", v)
	}
}

// world is a target's life as the root stores it, for the exploration.
type world struct {
	entry    transition.Entry
	revision uint64
}

func (w world) transition(r transition.Record) *transition.Transition {
	if r.IsZero() {
		return nil
	}
	plan := transition.Plan{
		Kind: derived, Target: target, Revision: r.Planned, Source: candor.Token{Revision: r.Planned - 1}, PlannedAt: int64(r.Planned),
		Intent: transition.Membership{Address: "a"}.Intent(),
	}
	status := plan.Status()
	if r.Phase.Terminal() {
		status = status.End(transition.Verdict{Phase: r.Phase}, &transition.Event{SupersededBy: r.SupersededBy}, r.Ended, int64(r.Ended), transition.Journal{})
	}
	return &transition.Transition{Plan: plan, Status: status}
}

// TestEveryReachableLifeKeepsTheGuarantees explores what events can do to one target,
// duplicated, late and out of order, up to a revision.
func TestEveryReachableLifeKeepsTheGuarantees(t *testing.T) {
	const last = 7
	seen := map[world]bool{}
	next := []world{{revision: 1}}
	steps := 0
	for len(next) > 0 {
		w := next[0]
		next = next[1:]
		if seen[w] {
			continue
		}
		seen[w] = true
		var moves []world
		if w.revision < last { // another object is written
			moves = append(moves, world{w.entry, w.revision + 1})
		}
		if !w.entry.Pending.IsZero() && w.entry.Pending.Shown == 0 {
			shown := w
			shown.entry.Pending.Shown = 1
			moves = append(moves, shown)
		}
		for _, e := range explored(w.revision) {
			for _, satisfied := range []bool{false, true} {
				after, v := transition.Publish(transition.Facts{Entry: w.entry, Satisfied: satisfied}, &e, w.revision+1)
				if v.Action == transition.ActionApply && w.revision < last {
					moves = append(moves, world{after, w.revision + 1})
				}
			}
		}
		for _, m := range moves {
			steps++
			if wrong := broken(w, m); wrong != "" {
				t.Fatalf("%+v -> %+v: %s", w, m, wrong)
			}
			next = append(next, m)
		}
	}
	t.Logf("%d states, %d steps, revisions up to %d, 2 intents, all ends", len(seen), steps, last)
	if len(seen) < 500 {
		t.Errorf("only %d states", len(seen))
	}
}

func explored(revision uint64) []transition.Event {
	var out []transition.Event
	for _, intent := range []transition.Digest{intentA, intentB} {
		for at := uint64(1); at <= revision; at++ {
			for _, e := range events(derived) {
				switch {
				case e.Type == transition.EventPlan && e.Source == 1:
					e.Source = at
				case e.Type == transition.EventCancel && e.Planned == 1, e.Type == transition.EventTerminal && e.Planned == 1:
					e.Planned = at
				default:
					continue
				}
				e.Intent = intent
				out = append(out, e)
			}
		}
	}
	return out
}

// broken checks a step: every transition before it is one after it, or was ended and
// gave way to a newer end.
func broken(before, after world) string {
	for _, r := range []transition.Record{before.entry.Pending, before.entry.Ended} {
		if r.IsZero() {
			continue
		}
		var found transition.Record
		for _, a := range []transition.Record{after.entry.Pending, after.entry.Ended} {
			if a.ID == r.ID {
				found = a
			}
		}
		for _, g := range transition.Guarantees() {
			if wrong := g.Check(before.transition(r), after.transition(found)); wrong != "" {
				return g.Name + ": " + wrong
			}
		}
	}
	a := after.entry
	switch {
	case a.Pending.ID != "" && a.Pending.Phase != transition.PhasePlanned, a.Ended.ID != "" && !a.Ended.Phase.Terminal():
		return fmt.Sprint("a record is in the wrong place: ", a)
	case a.Pending.ID == a.Ended.ID && a.Pending.ID != "":
		return "a transition is pending and ended"
	case a.Changed() > after.revision:
		return "it changed after the last revision"
	default:
		return ""
	}
}
