package transitionmodel

import (
	"github.com/candor-plane/candor/verify/explore"
)

// EveryTransitionEnds is the goal that nothing pends for ever.
//
// Executors crash, are taken over from and lose their leader, servers fall silent and
// commands are repeated as often as the bounds let them, and not for ever; answers and
// commands may be lost for ever. An era without an executor ends in another; an
// executor looks; what it sends again and again is heard again and again, each kind of
// command; servers come back and catch up; nothing stays on its way for ever.
func EveryTransitionEnds() explore.Goal[World, Action] {
	goal := explore.Goal[World, Action]{
		Name: "every planned transition ends",
		Owed: func(World) bool { return true },
		Done: func(w World) bool { return !w.pends() },
		Fault: func(a Action) bool {
			switch a.Verb {
			case Crash, Takeover, Elect, FallSilent, GiveUp, DeliverAndKeep, Ask, Supersede:
				return true
			default:
				return false
			}
		},
		Fair: []explore.Fairness[Action]{
			{Name: "an era begins", Is: func(a Action) bool { return a.Verb == Begin }},
			{Name: "the executor looks", Is: func(a Action) bool { return a.Verb == Look && a.Executor == 0 }},
			{Name: "servers answer again", Is: func(a Action) bool { return a.Verb == Return }},
			{Name: "newcomers catch up", Is: func(a Action) bool { return a.Verb == CatchUp }},
			{Name: "nobody waits for ever", Is: func(a Action) bool { return a.Awaited == 0 && a.leaves() }},
			{Name: "nor another", Is: func(a Action) bool { return a.Awaited == 1 && a.leaves() }},
			{Name: "what nobody waits for is gone", Is: func(a Action) bool { return a.About != nil && a.Awaited < 0 && a.leaves() }},
		},
	}
	for w := callPlan; w <= callTransfer; w++ {
		goal.Fair = append(goal.Fair, explore.Fairness[Action]{
			Name: "commands to " + words[w] + " are heard", Strong: true,
			Is: func(a Action) bool { return a.Verb == Deliver && a.Awaited == 0 && a.About.Call.word == w },
		})
	}
	return goal
}

func (a Action) leaves() bool { return a.Verb == Deliver || a.Verb == DeliverUnheard || a.Verb == Drop }
