package placement

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/literal"
)

// Capacity is what a node's worker said that its machine has.
func Capacity(observed []byte) (candor.Resources, *candor.Error) {
	if len(observed) == 0 {
		return nil, nil
	}
	return Resources(literal.Member(observed, "capacity"))
}

// Session is that of the worker who observed the node last; empty for none.
func Session(observed []byte) string {
	session, _ := literal.Text(literal.Member(observed, "session"))
	return session
}

// Observation is nil for what a worker may say of its node: capacity and session can
// be read by turns.
func Observation(observed []byte) *candor.Error {
	if len(observed) == 0 {
		return nil
	}
	if !literal.Plain(observed) {
		return candor.Errorf(candor.ReasonInvalid, "status.observed: want an object whose names are written without an escape")
	}
	if session := literal.Member(observed, "session"); session != nil {
		if text, ok := literal.Text(session); !ok || len(text) > maxSession {
			return candor.Errorf(candor.ReasonInvalid, "status.observed.session: want a text of at most %d bytes without an escape", maxSession)
		}
	}
	_, err := Capacity(observed)
	return err
}

const maxSession = 128

// Closed says why a node takes nothing new; empty when it does.
func Closed(node *candor.Object) string {
	switch {
	case node.Terminating():
		return "is being deleted"
	case string(literal.Member(node.Spec, "unschedulable")) == "true":
		return "is unschedulable"
	case string(literal.Member(node.Spec, "drain")) == "true":
		return "is being drained"
	case !ready(node.Status):
		return "is not Ready"
	default:
		return ""
	}
}

func ready(status []byte) bool {
	conditions, _ := literal.Elements(literal.Member(status, "conditions"))
	for _, c := range conditions {
		if kind, _ := literal.Text(literal.Member(c, "type")); kind == candor.ConditionReady {
			is, _ := literal.Text(literal.Member(c, "status"))
			return is == string(candor.ConditionTrue)
		}
	}
	return false
}
