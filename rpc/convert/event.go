package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// EventToProto returns nil for nil.
func EventToProto(e *candor.Event) *candorv1.Event {
	if e == nil {
		return nil
	}
	return &candorv1.Event{
		Type: EventTypeToProto(e.Type), Revision: e.Revision,
		Object: ObjectToProto(e.Object), Previous: ObjectToProto(e.Previous),
	}
}

// EventFromProto reads nil as the zero event.
func EventFromProto(p *candorv1.Event) candor.Event {
	return candor.Event{
		Type: EventTypeFromProto(p.GetType()), Revision: p.GetRevision(),
		Object: ObjectFromProto(p.GetObject()), Previous: ObjectFromProto(p.GetPrevious()),
	}
}

// EventTypeToProto is UNSPECIFIED for any other word.
func EventTypeToProto(t candor.EventType) candorv1.EventType {
	switch t {
	case candor.EventAdded:
		return candorv1.EventType_EVENT_TYPE_ADDED
	case candor.EventModified:
		return candorv1.EventType_EVENT_TYPE_MODIFIED
	case candor.EventDeleted:
		return candorv1.EventType_EVENT_TYPE_DELETED
	default:
		return candorv1.EventType_EVENT_TYPE_UNSPECIFIED
	}
}

// EventTypeFromProto is empty for any other value.
func EventTypeFromProto(p candorv1.EventType) candor.EventType {
	switch p {
	case candorv1.EventType_EVENT_TYPE_ADDED:
		return candor.EventAdded
	case candorv1.EventType_EVENT_TYPE_MODIFIED:
		return candor.EventModified
	case candorv1.EventType_EVENT_TYPE_DELETED:
		return candor.EventDeleted
	default:
		return ""
	}
}

// PropagationToProto is UNSPECIFIED for any other word.
func PropagationToProto(p candor.Propagation) candorv1.PropagationPolicy {
	switch p {
	case candor.PropagateBackground:
		return candorv1.PropagationPolicy_PROPAGATION_POLICY_BACKGROUND
	case candor.PropagateOrphan:
		return candorv1.PropagationPolicy_PROPAGATION_POLICY_ORPHAN
	case candor.PropagateForeground:
		return candorv1.PropagationPolicy_PROPAGATION_POLICY_FOREGROUND
	default:
		return candorv1.PropagationPolicy_PROPAGATION_POLICY_UNSPECIFIED
	}
}

// PropagationFromProto is empty for any other value.
func PropagationFromProto(p candorv1.PropagationPolicy) candor.Propagation {
	switch p {
	case candorv1.PropagationPolicy_PROPAGATION_POLICY_BACKGROUND:
		return candor.PropagateBackground
	case candorv1.PropagationPolicy_PROPAGATION_POLICY_ORPHAN:
		return candor.PropagateOrphan
	case candorv1.PropagationPolicy_PROPAGATION_POLICY_FOREGROUND:
		return candor.PropagateForeground
	default:
		return ""
	}
}
