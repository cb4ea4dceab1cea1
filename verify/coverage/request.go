package coverage

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// requests are what became of the requests in an entry, and whether some were forgotten.
func (o *observer) requests() {
	accepted := uint64(0)
	for i, c := range o.turn.Commands {
		if i >= len(o.turn.Results) || c.RequestID == "" {
			continue
		}
		from, to, event := requestStep(c, &o.turn.Results[i])
		if event == "accept" {
			accepted++
		}
		o.add(c.Actor+" "+c.RequestID, lifecycle.Request, from, to, event)
	}
	before, after := o.turn.Before.Stats().Requests+accepted, o.turn.After.Stats().Requests
	for ; after < before; after++ {
		o.add("", lifecycle.Request, lifecycle.Remembered, lifecycle.Forgotten, "forget")
	}
}

func requestStep(c *command.Command, r *fsm.Result) (from, to lifecycle.State, event string) {
	switch {
	case r.Replayed:
		return lifecycle.Remembered, lifecycle.Remembered, "deduplicate"
	case r.Reason == "":
		return lifecycle.New, lifecycle.Remembered, "accept"
	case r.Reason == candor.ReasonRequestExpired:
		return lifecycle.New, lifecycle.New, "expire"
	case r.Reason == candor.ReasonQueueSaturated:
		return lifecycle.New, lifecycle.New, "saturate"
	case r.Reason == candor.ReasonInvalid && r.Subject == c.RequestID:
		return lifecycle.Remembered, lifecycle.Remembered, "reuse"
	default:
		return lifecycle.New, lifecycle.New, "refuse"
	}
}
