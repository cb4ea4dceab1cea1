package invariant_test

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/transition"
)

// overTransition has the turn end a transition that was planned at revision 3, as
// edited.
func overTransition(edit func(t *turn, c *invariant.Change, x *invariant.TransitionChange)) func(*turn) {
	plan := transition.Plan{
		Kind: transition.MemberRemove, Target: "s3", Revision: 3, Source: candor.Token{Term: 1, Index: 2, Revision: 2},
		Intent: transition.Membership{}.Intent(), PlannedAt: 5, Actor: "ana",
	}
	pending := plan.Record()
	event := &transition.Event{Type: transition.EventTerminal, Kind: plan.Kind, Target: plan.Target, Intent: plan.Digest(), Planned: 3, Phase: transition.PhaseFailed}
	entry := transition.Entry{Pending: pending}
	after, verdict := transition.Publish(transition.Facts{Entry: entry}, event, 8)
	status := plan.Status()
	ended := status.End(verdict, event, 8, 9, transition.Journal{})
	return func(t *turn) {
		ref := candor.Ref{Kind: candor.KindTransitions, Name: plan.ID()}
		before := &candor.Object{
			APIVersion: candor.APIVersion, Kind: "Transition", Spec: plan.Spec(), Status: status.JSON(), Cause: &candor.Cause{Actor: "ana"},
			Metadata: candor.Metadata{Name: ref.Name, UID: "uid-t", Generation: 1, ResourceVersion: 7, CreateRevision: 3},
		}
		o := *before
		o.Metadata.ResourceVersion, o.Status, o.Cause = 8, ended.JSON(), &candor.Cause{Actor: "ana", PriorRevision: 7}
		t.live[ref] = &o
		t.Changes = []invariant.Change{{Ref: ref, Before: before, After: &o, Allowed: invariant.SectionStatus}}
		t.Transitions = []invariant.TransitionChange{{Before: entry, After: after}}
		edit(t, &t.Changes[0], &t.Transitions[0])
	}
}
