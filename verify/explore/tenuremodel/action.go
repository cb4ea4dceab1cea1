package tenuremodel

import "fmt"

// Verb is what happens in a step.
type Verb uint8

// The verbs.
const (
	Crash Verb = iota + 1
	Look
	Forget
	Ask
	Use
	Deliver
	DeliverUnheard
	DeliverAndKeep
	Drop
	Take
	Tick
	Stop
	Lead
)

// Action is one step. What it is about is for people.
type Action struct {
	Verb  Verb
	Who   int
	About Message
	Value uint64
	// Vacant says of a campaign that is sent that no process acts under the duty.
	Vacant bool
}

// Fault says that the step is nothing that a cluster at peace does. That
// nobody hears what was decided for a process that crashed is no further fault.
func (a Action) Fault() bool {
	switch a.Verb {
	case Crash, DeliverAndKeep, Drop, Stop, Forget, Lead:
		return true
	case DeliverUnheard:
		return !a.About.Orphan
	default:
		return false
	}
}

// String is the step for people.
func (a Action) String() string {
	who := names[a.Who]
	switch a.Verb {
	case Crash:
		return who + " crashes and starts again"
	case Look:
		return who + " reads that it does not hold"
	case Forget:
		return who + " gives its campaign up"
	case Ask:
		return who + " sends: " + a.About.String()
	case Use:
		return fmt.Sprintf("%s hands out %d", who, a.Value)
	case Deliver:
		return "the root decides " + a.About.String() + ", and is heard"
	case DeliverUnheard:
		return "the root decides " + a.About.String() + "; the answer is lost"
	case DeliverAndKeep:
		return "the root decides " + a.About.String() + "; the answer is lost and the command comes again"
	case Drop:
		return "lost: " + a.About.String()
	case Take:
		return fmt.Sprintf("the client gets answer %d", a.Value)
	case Tick:
		return "time passes"
	case Stop:
		return "time passes and cluster time stands still"
	case Lead:
		return who + " leads a new term"
	default:
		return "?"
	}
}
