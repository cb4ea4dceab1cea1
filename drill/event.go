package drill

import (
	"time"

	"github.com/candor-plane/candor/drill/scenario"
)

// EventKind says what an event is about.
type EventKind string

// The kinds of events.
const (
	EventPhase  EventKind = "phase"
	EventFault  EventKind = "fault"
	EventHealed EventKind = "healed"
	// EventRefused is of a fault that could not be made; What says why.
	EventRefused EventKind = "refused"
	EventLeader  EventKind = "leader"
)

// Event is progress, for whoever looks on.
type Event struct {
	// At is since the drill began.
	At   time.Duration
	Kind EventKind
	What string
	// Fault and Targets are of faults, Term of leaders.
	Fault   scenario.Kind
	Targets []string
	Term    uint64
}
