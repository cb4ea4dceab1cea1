package tenuremodel

import (
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/explore"
)

// HandoversEnd is the goal that no sealed era stays without an end, but of those for
// which the bounds leave no era that could give it: every handover before the last era.
// Bounds must be Named, else it panics.
//
// Every message leaves the wire. Messages may be lost, repeated and unheard for ever;
// who crashes, or gives a campaign up, does so as often as it likes and not for ever.
// Time passes; a process that has lost its era looks; and what a process has to send,
// a step of a handover, or a campaign while the duty is free and nobody acts under it,
// it sends again and again, and is heard again and again. Nobody need take the duty
// from one who acts. The wire holds few messages at once, so sending is possible again
// and again and not all the time: that fairness is strong.
func HandoversEnd(b Bounds) explore.Goal[World, Action] {
	if !b.Named {
		panic("tenuremodel: to be fair to each holder the bounds must be Named")
	}
	goal := explore.Goal[World, Action]{
		Name: "every handover ends",
		Owed: b.Owed,
		Done: Ended,
		Fault: func(a Action) bool {
			return a.Verb == Crash || a.Verb == Forget || a.Verb == Lead
		},
		Fair: []explore.Fairness[Action]{{Name: "time passes", Is: func(a Action) bool { return a.Verb == Tick }}},
	}
	for h := range b.Holders {
		goal.Fair = append(goal.Fair,
			explore.Fairness[Action]{Name: names[h] + "'s messages leave the wire", Is: func(a Action) bool { return a.leaves(h) }},
			explore.Fairness[Action]{Name: names[h] + " looks", Is: func(a Action) bool { return a.Verb == Look && a.Who == h }},
			explore.Fairness[Action]{Name: names[h] + " campaigns", Strong: true, Is: func(a Action) bool { return a.asks(h) && a.campaigns() && a.Vacant }},
			explore.Fairness[Action]{Name: names[h] + " confirms and closes", Strong: true, Is: func(a Action) bool { return a.asks(h) && a.finishes() }},
			explore.Fairness[Action]{Name: names[h] + "'s campaigns are heard", Strong: true, Is: func(a Action) bool { return a.hears(h) && a.campaigns() }},
			explore.Fairness[Action]{Name: names[h] + "'s steps are heard", Strong: true, Is: func(a Action) bool { return a.hears(h) && a.finishes() }},
		)
	}
	return goal
}

// Owed says whether the bounds leave an era to end what is unfinished in. A campaign
// that nobody waits for uses one up.
func (b *Bounds) Owed(w World) bool {
	granted := w.Lineage.Current.Number
	if w.Abandoned() {
		granted++
	}
	return granted < b.Eras
}

// Ended says that no handover is under way.
func Ended(w World) bool {
	state := w.Lineage.Current.State
	return len(w.Lineage.Unfinished) == 0 && (state == tenure.StateActive || state == tenure.StateClosed)
}

func (a Action) asks(h int) bool { return a.Verb == Ask && a.Who == h }

func (a Action) hears(h int) bool { return a.Verb == Deliver && a.About.From == h }

// leaves says that a message of the holder is on the wire no more.
func (a Action) leaves(h int) bool {
	return a.About.From == h && (a.Verb == Deliver || a.Verb == DeliverUnheard || a.Verb == Drop)
}

func (a Action) campaigns() bool {
	switch a.About.Event.(type) {
	case tenure.Campaign, tenure.Reattach:
		return true
	default:
		return false
	}
}

func (a Action) finishes() bool {
	switch a.About.Event.(type) {
	case tenure.Confirm, tenure.Close:
		return true
	default:
		return false
	}
}
