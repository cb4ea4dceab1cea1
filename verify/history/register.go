package history

import "github.com/anishathalye/porcupine"

// content is the state of one key.
type content struct {
	// known is false until the first access tells what was there before.
	known          bool
	present, going bool
	value          string
}

// register is the model of one key. An access that its outcome tells to have
// happened must fit the content; a write of unknown outcome that does not fit
// did nothing, which is what it does where it comes last.
var register = porcupine.Model{
	Init: func() any { return content{} },
	Step: func(state, input, _ any) (bool, any) {
		c, ok := state.(content)
		a, fits := input.(*access)
		if !ok || !fits {
			panic("history: the search for an order was given what is no register")
		}
		return c.step(a)
	},
}

func (c content) step(a *access) (bool, content) {
	wanted := a.item.content()
	if a.operation.Kind.Reads() || a.operation.Unchanged {
		return c.read(wanted)
	}
	fits := true
	switch a.operation.Kind {
	case KindCreate:
		fits = !c.known || !c.present || c.going
	case KindUpdate, KindDelete:
		fits = !c.known || c.present
	default: // PUT and TXN write over anything
	}
	switch {
	case fits:
		wanted.going = wanted.going || c.going && a.operation.Kind == KindUpdate
		return true, wanted
	case a.operation.Outcome == OutcomeUnknown:
		return true, c
	default:
		return false, c
	}
}

// read: what is going may change and vanish on its own, and stays what it is
// until it was seen gone.
func (c content) read(seen content) (bool, content) {
	switch {
	case !c.known:
		return true, seen
	case c.going && seen.present:
		return true, c
	case c.going:
		return true, seen
	default:
		return c.present == seen.present && c.value == seen.value, c
	}
}

func (i *Item) content() content {
	return content{known: true, present: !i.Absent, going: i.Going, value: i.Value}
}
