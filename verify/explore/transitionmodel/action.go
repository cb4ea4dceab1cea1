package transitionmodel

import (
	"fmt"

	"github.com/candor-plane/candor/fsm/transition"
)

// Verb is what happens in a step.
type Verb uint8

// The verbs.
const (
	Ask Verb = iota + 1
	Look
	Begin
	Crash
	Takeover
	Elect
	FallSilent
	Return
	CatchUp
	Supersede
	Deliver
	DeliverUnheard
	DeliverAndKeep
	GiveUp
	Drop
)

// Action is one step. What it is about is for people.
type Action struct {
	Verb  Verb
	Who   string
	About *Message
	// Executor is the one that the step is about: 0 the present era's, 1 another; -1
	// for none. Awaited is the one that waits for the command.
	Executor, Awaited int
}

// Fault says that the step is nothing that a cluster at peace does.
func (a Action) Fault() bool {
	switch a.Verb {
	case Crash, Takeover, Elect, FallSilent, GiveUp, DeliverAndKeep, Drop, DeliverUnheard:
		return true
	default:
		return false
	}
}

// String is the step for people.
func (a Action) String() string {
	switch a.Verb {
	case Ask:
		return "an operator looks and sends: " + a.About.String()
	case Look:
		if a.About == nil {
			return a.Who + "'s executor looks, and has nothing to do"
		}
		return a.Who + "'s executor looks and sends: " + a.About.String()
	case Begin:
		return "a new era begins, of " + a.Who
	case Crash:
		return a.Who + "'s executor crashes"
	case Takeover:
		return "a new era begins, of " + a.Who + ", and the executor before goes on"
	case Elect:
		return a.Who + " leads a new term"
	case FallSilent:
		return a.Who + " falls silent"
	case Return:
		return a.Who + " answers again"
	case CatchUp:
		return a.Who + " has caught up"
	case Supersede:
		return a.Who + "'s executor sends: " + a.About.String()
	case Deliver:
		return "decided: " + a.About.String()
	case DeliverUnheard:
		return "decided: " + a.About.String() + "; the answer is lost"
	case DeliverAndKeep:
		return "decided: " + a.About.String() + "; the answer is lost and the command comes again"
	case GiveUp:
		return a.Who + "'s executor gives up waiting, and this is still on its way: " + a.About.String()
	case Drop:
		return "lost: " + a.About.String()
	default:
		return "?"
	}
}

// String is the command for people.
func (msg *Message) String() string {
	who := fmt.Sprintf("request %d, ", msg.Request)
	if msg.Request == 0 {
		who = fmt.Sprintf("era %d, ", msg.Era)
	}
	e := msg.Event
	switch {
	case e == nil && msg.Call.word == callTransfer:
		return who + "leadership to " + msg.Call.server
	case e == nil:
		return fmt.Sprintf("%s%s of %s, on configuration %d", who, words[msg.Call.word], msg.Call.server, msg.Call.configuration)
	case e.Type == transition.EventPlan:
		return fmt.Sprintf("%splan %s of %s, read at revision %d", who, e.Kind, e.Target, e.Source)
	case e.Type == transition.EventCancel && e.Planned == 0:
		return fmt.Sprintf("%scancel %s of %s, assessed at revision %d", who, e.Kind, e.Target, e.Expect)
	case e.Type == transition.EventCancel:
		return fmt.Sprintf("%scancel %s of %s, planned at revision %d", who, e.Kind, e.Target, e.Planned)
	default:
		return fmt.Sprintf("%send %s of %s, planned at revision %d, as %s", who, e.Kind, e.Target, e.Planned, e.Phase)
	}
}
