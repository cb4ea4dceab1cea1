package coverage

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// Condition is what one answer says of the server that gave it.
type Condition struct {
	Node, Boot string
	// CatchUp is empty where it is not known.
	CatchUp candor.CatchUpState
	Mode    candor.DegradedMode
}

// ConditionOf reads it off a witness.
func ConditionOf(w *candor.Witness) Condition {
	return Condition{Node: w.NodeID, Boot: w.BootID, CatchUp: w.CatchUp, Mode: w.Mode}
}

// Conditions follow the servers through their answers, given in the order in which each
// was given. They are one goroutine's; the zero value has seen nothing.
type Conditions struct {
	last map[string]Condition
}

// See are the steps that an answer shows. A new boot of a server ends the one before.
func (c *Conditions) See(x Condition) []Sight {
	if c.last == nil {
		c.last = map[string]Condition{}
	}
	var seen []Sight
	catchUp, mode := lifecycle.Stopped, lifecycle.Stopped
	add := func(name lifecycle.Name, from, to lifecycle.State, event string) {
		if from != to {
			seen = append(seen, Sight{Step: lifecycle.Step{Lifecycle: name, From: from, To: to, Event: event}, Of: x.Node})
		}
	}
	if was, known := c.last[x.Node]; known {
		catchUp, mode = catchUpState(was.CatchUp), lifecycle.State(was.Mode)
		if was.Boot != x.Boot {
			add(lifecycle.CatchUp, catchUp, lifecycle.Stopped, "stop")
			add(lifecycle.Mode, mode, lifecycle.Stopped, "stop")
			catchUp, mode = lifecycle.Stopped, lifecycle.Stopped
		}
	}
	c.last[x.Node] = x
	to := catchUpState(x.CatchUp)
	event := "observe"
	if to == lifecycle.State(candor.CatchUpUnavailable) {
		event = "start"
	}
	add(lifecycle.CatchUp, catchUp, to, event)
	add(lifecycle.Mode, mode, lifecycle.State(x.Mode), "observe")
	return seen
}

func catchUpState(s candor.CatchUpState) lifecycle.State {
	if s == "" {
		return lifecycle.Unknown
	}
	return lifecycle.State(s)
}
