package candor

// EventType is what happened to an object, as a watch with a selector sees it:
// an object that starts to match is ADDED, one that stops is DELETED.
type EventType string

// The event types.
const (
	EventAdded    EventType = "ADDED"
	EventModified EventType = "MODIFIED"
	EventDeleted  EventType = "DELETED"
)

// Event is one change, seen once and in revision order.
type Event struct {
	Type     EventType `json:"type"`
	Revision uint64    `json:"revision"`
	// Object is the new version; for DELETED the last one.
	Object *Object `json:"object"`
	// Previous is the version before, when it was asked for.
	Previous *Object `json:"previous,omitempty"`
}

// Propagation is what a delete does to the object's dependents.
type Propagation string

// The propagation policies; the default is PropagateBackground.
const (
	PropagateBackground Propagation = "BACKGROUND"
	PropagateOrphan     Propagation = "ORPHAN"
	// PropagateForeground: those that block the owner's deletion go first, then the owner.
	PropagateForeground Propagation = "FOREGROUND"
)

// FinalizerForeground keeps an owner that is deleted in the foreground until nothing
// that it owns blocks that any more. The root sets it and takes it away.
const FinalizerForeground = "foregroundDeletion"
