package coverage

import (
	"encoding/json"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// begun is the state that a new object of a kind with phases comes from.
func (c *change) begun() lifecycle.State {
	if c.again {
		return lifecycle.Gone
	}
	return lifecycle.Absent
}

// phase is the status's own word; none where nobody has reconciled it.
func phase(x *candor.Object) lifecycle.State {
	var status struct {
		Phase string `json:"phase"`
	}
	if len(x.Status) == 0 || json.Unmarshal(x.Status, &status) != nil || status.Phase == "" {
		return lifecycle.Unreconciled
	}
	return lifecycle.State(status.Phase)
}

func (o *observer) instance(c *change) {
	of := c.ref.String()
	switch {
	case c.before == nil && c.after == nil:
	case c.before == nil:
		o.add(of, lifecycle.Instance, c.begun(), phase(c.after), "create")
	case c.after == nil:
		o.add(of, lifecycle.Instance, phase(c.before), lifecycle.Gone, "delete")
	default:
		from, to := phase(c.before), phase(c.after)
		if from != to || from == lifecycle.Pending && decisionOf(c.before) != decisionOf(c.after) {
			o.add(of, lifecycle.Instance, from, to, instanceEvent(to))
		}
	}
}

// decisionOf is the newest decision about an instance.
func decisionOf(x *candor.Object) string {
	var status struct {
		Decision json.RawMessage `json:"decision"`
	}
	if json.Unmarshal(x.Status, &status) != nil {
		return ""
	}
	return string(status.Decision)
}

func instanceEvent(to lifecycle.State) string {
	switch to {
	case lifecycle.Pending:
		return "decide"
	case lifecycle.Placed:
		return "place"
	case lifecycle.Succeeded, lifecycle.Failed:
		return "exit"
	case lifecycle.Lost:
		return "lose"
	default:
		return "move"
	}
}

func nodeState(x *candor.Object) lifecycle.State {
	state := phase(x)
	var spec candor.NodeSpec
	if state == lifecycle.Ready && json.Unmarshal(x.Spec, &spec) == nil && (spec.Unschedulable || spec.Drain) {
		return lifecycle.Cordoned
	}
	return state
}

func (o *observer) node(c *change) {
	of := c.ref.String()
	switch {
	case c.before == nil && c.after == nil:
	case c.before == nil:
		o.add(of, lifecycle.Node, c.begun(), nodeState(c.after), "register")
	case c.after == nil:
		o.add(of, lifecycle.Node, nodeState(c.before), lifecycle.Gone, "delete")
	default:
		if from, to := nodeState(c.before), nodeState(c.after); from != to {
			o.add(of, lifecycle.Node, from, to, declaredEvent(lifecycle.Node, from, to))
		}
	}
}

func (o *observer) workload(c *change) {
	of := c.ref.String()
	switch {
	case c.before == nil && c.after == nil:
	case c.before == nil:
		o.add(of, lifecycle.Workload, c.begun(), phase(c.after), "create")
	case c.after == nil:
		o.add(of, lifecycle.Workload, phase(c.before), lifecycle.Gone, "delete")
	default:
		if from, to := phase(c.before), phase(c.after); from != to {
			o.add(of, lifecycle.Workload, from, to, declaredEvent(lifecycle.Workload, from, to))
		}
	}
}

// declaredEvent is the event of a step whose states say it all, as they do of what
// controllers work out anew each time; "move" where none is declared.
func declaredEvent(name lifecycle.Name, from, to lifecycle.State) string {
	for _, l := range declaredLifecycles {
		if l.Name != name {
			continue
		}
		for i := range l.Steps {
			if d := &l.Steps[i]; d.From == from && d.To == to {
				return d.Event
			}
		}
	}
	return "move"
}

var declaredLifecycles = lifecycle.All()

func tokenState(x *candor.Object) lifecycle.State {
	var spec struct {
		Use string `json:"use"`
	}
	if json.Unmarshal(x.Spec, &spec) != nil || spec.Use == "" {
		return lifecycle.Issued
	}
	var status struct {
		Conditions []candor.Condition `json:"conditions"`
	}
	spent := func(c candor.Condition) bool { return c.Type == "Spent" && c.Status != candor.ConditionFalse }
	if len(x.Status) > 0 && json.Unmarshal(x.Status, &status) == nil && slices.ContainsFunc(status.Conditions, spent) {
		return lifecycle.Spent
	}
	return lifecycle.Joins
}

func (o *observer) token(c *change) {
	of := c.ref.String()
	switch {
	case c.before == nil && c.after == nil:
	case c.before == nil:
		o.add(of, lifecycle.Token, lifecycle.Absent, tokenState(c.after), "create")
	case c.after == nil && tokenState(c.before) == lifecycle.Spent:
		o.add(of, lifecycle.Token, lifecycle.Spent, lifecycle.Gone, "clear")
	case c.after == nil:
		o.add(of, lifecycle.Token, tokenState(c.before), lifecycle.Gone, "revoke")
	default:
		if from, to := tokenState(c.before), tokenState(c.after); from != to {
			o.add(of, lifecycle.Token, from, to, declaredEvent(lifecycle.Token, from, to))
		}
	}
}
