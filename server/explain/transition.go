package explain

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// transition explains how far a change of several steps is, and why no farther.
func (e *Explainer) transition(s *story, x *candor.Explanation, o *candor.Object) {
	name := "transition/" + x.Subject.Name
	plan, bad := transition.ReadSpec(o.Spec)
	if bad != nil {
		x.Headline = name + " does not read: " + bad.Message
		return
	}
	status, bad := transition.ReadStatus(o.Status)
	if bad != nil {
		x.Headline = name + " does not read: " + bad.Message
		return
	}
	t := transition.Merge(plan, status, e.world.Journals()...)
	now := e.world.ClusterTime()
	held := s.view.Tenure(tenure.Duty{Name: tenure.DutyTopology}).Current.State == tenure.StateActive
	x.Headline = name + " (" + string(t.Plan.Kind) + " of " + e.target(t.Plan.Target) + ") is " + string(t.Status.Phase)
	stalled := t.Overdue(now, held)
	switch {
	case stalled != nil:
		x.Headline += " and stands still: " + string(stalled.Cause)
	case t.Status.Phase.Terminal() && t.Status.Phase.Succeeded():
		x.Headline += ": what was asked for is so"
	case t.Status.Phase.Terminal():
		x.Headline += ": it was given up or refused"
	default:
		x.Headline += ", within its time"
	}
	if t.Status.Reason != "" || t.Status.Message != "" {
		x.Facts = append(x.Facts, reasonText(t.Status.Reason, t.Status.Message))
	}
	x.Facts = append(x.Facts, e.phases(s, &t)...)
	if t.Plan.Reason != "" || t.Plan.Message != "" {
		x.Facts = append(x.Facts, "planned because: "+reasonText(candor.Reason(t.Plan.Reason), t.Plan.Message))
	}
	if t.Plan.Parent != "" {
		x.Facts = append(x.Facts, "it is a step of transition/"+t.Plan.Parent)
	}
	if t.Status.SupersededBy != "" {
		x.Facts = append(x.Facts, "transition/"+t.Status.SupersededBy+" took its place")
	}
	x.Next = e.ahead(s, &t, stalled, now)
}

func reasonText(reason candor.Reason, message string) string {
	switch {
	case reason == "":
		return message
	case message == "":
		return string(reason)
	default:
		return string(reason) + ": " + message
	}
}

func (e *Explainer) target(id string) string {
	if name := e.world.ServerName(id); name != "" {
		return name
	}
	return id
}

// phases are those that it has been in, with when each began.
func (e *Explainer) phases(s *story, t *transition.Transition) []string {
	var out []string
	for _, p := range []transition.Phase{transition.PhasePlanned, transition.PhaseAdmitted, transition.PhaseExecuting, transition.PhaseApplied} {
		at := t.Status.Times.Of(p)
		if p == transition.PhasePlanned && at == 0 {
			at = t.Plan.PlannedAt
		}
		if at == 0 {
			continue
		}
		text := string(p) + " " + s.ago(at)
		if p == transition.PhaseAdmitted && t.Status.Executor != "" {
			text += " by " + holder(e.world, t.Status.Executor)
		}
		out = append(out, text)
	}
	if at := t.Status.Times.Ended; at != 0 && t.Status.Phase.Terminal() {
		out = append(out, string(t.Status.Phase)+" "+s.ago(at))
	}
	return out
}

// ahead is what moves it next; empty for one that has ended.
func (e *Explainer) ahead(s *story, t *transition.Transition, stalled *transition.Stalled, now int64) string {
	switch {
	case t.Status.Phase.Terminal():
		return ""
	case stalled != nil:
		return string(stalled.Next) + ": " + nextText(stalled.Next, s.acts(tenure.DutyTopology))
	default:
		text := "its executor goes on (" + s.acts(tenure.DutyTopology) + ")"
		if due := t.Due(); due != 0 {
			text += "; it counts as stalled in " + span(time.Duration(due-now))
		}
		return text
	}
}

func nextText(n transition.Next, acts string) string {
	switch n {
	case transition.NextAwaitHolder:
		return acts + "; whoever takes it goes on"
	case transition.NextAdmit, transition.NextExecute, transition.NextRetry, transition.NextPublish, transition.NextReassess:
		return acts + " and does it in its next round"
	default:
		return "nothing does by itself: candor transition cancel, or mend what its reason says"
	}
}
