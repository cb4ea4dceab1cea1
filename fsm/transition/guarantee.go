package transition

import "bytes"

// Guarantee is one named promise about a transition at two moments, the later one
// second. Check returns what is wrong, or the empty string. Either transition may be
// nil: not born yet, or gone.
type Guarantee struct {
	Name    string
	Promise string
	Check   func(before, after *Transition) string
}

// Guarantees are all of them (docs/protocol.md, section 13). They hold for what the
// root stores, and for what Merge shows while no journal is lost.
func Guarantees() []Guarantee { return guarantees }

var guarantees = []Guarantee{
	{"TransitionIdentity", "what a transition is never changes, and its ID follows from it", Identity},
	{"ForwardOnlyOutcome", "phase, outcome and times only move forward, and an end is final", ForwardOnlyOutcome},
	{"NoSkippedPublish", "no success counts before its end is in the root", NoSkippedPublish},
	{"NoHiddenDrop", "no transition goes before its end is in the root", NoHiddenDrop},
}

// Identity is the guarantee TransitionIdentity.
func Identity(before, after *Transition) string {
	if before == nil || after == nil {
		return ""
	}
	b, a := &before.Plan, &after.Plan
	switch {
	case b.Kind != a.Kind || b.Target != a.Target || b.Revision != a.Revision:
		return "kind, target or planned revision changes"
	case !bytes.Equal(b.Intent, a.Intent):
		return "the intent changes"
	case !bytes.Equal(b.Spec(), a.Spec()):
		return "the plan changes"
	default:
		return ""
	}
}

// ForwardOnlyOutcome is the guarantee of that name.
func ForwardOnlyOutcome(before, after *Transition) string {
	if after == nil {
		return ""
	}
	if before == nil {
		before = &Transition{}
	}
	b, a := &before.Status, &after.Status
	switch {
	case !Forward(b.Phase, a.Phase):
		return "phase " + string(a.Phase) + " follows " + string(b.Phase)
	case !b.Outcome.Forward(a.Outcome):
		return "outcome " + string(a.Outcome) + " follows " + string(b.Outcome)
	case b.Phase.Terminal() && (b.Revision != a.Revision || b.Times.Ended != a.Times.Ended || b.SupersededBy != a.SupersededBy):
		return "an end changes"
	case b.Phase.Terminal() && b.Publish == PublishDone && a.Publish != PublishDone:
		return "a published end is taken back"
	default:
		return backward(b, a)
	}
}

// backward finds phases that began before the ones that they follow. A time may
// change while an executor begins again, and not once the transition has ended.
func backward(b, a *Status) string {
	last := int64(0)
	before := b.Times.named()
	for i, t := range a.Times.named() {
		if *t.at == 0 {
			continue
		}
		if *t.at < last {
			return "time " + t.name + " is before the one that it follows"
		}
		if b.Phase.Terminal() && *before[i].at != 0 && *before[i].at != *t.at {
			return "time " + t.name + " changes after the end"
		}
		last = *t.at
	}
	return ""
}

// NoSkippedPublish is the guarantee of that name.
func NoSkippedPublish(_, after *Transition) string {
	if after == nil {
		return ""
	}
	a := &after.Status
	switch {
	case a.Phase.Terminal() && a.Revision == 0:
		return "phase " + string(a.Phase) + " is in no turn"
	case a.Phase.Terminal() && a.Publish != PublishDone:
		return "phase " + string(a.Phase) + " with publish state " + string(a.Publish)
	case !a.Phase.Terminal() && !a.Publish.Owes():
		return "phase " + string(a.Phase) + " owes no end: publish state " + string(a.Publish)
	default:
		return ""
	}
}

// NoHiddenDrop is the guarantee of that name.
func NoHiddenDrop(before, after *Transition) string {
	if before == nil || after != nil {
		return ""
	}
	if b := &before.Status; !b.Phase.Terminal() || b.Publish.Owes() {
		return "it goes in phase " + string(b.Phase) + " with publish state " + string(b.Publish)
	}
	return ""
}
