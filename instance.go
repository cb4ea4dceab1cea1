package candor

import "time"

// InstancePhase is how far an instance has come, as the root knows it. What its
// process does is InstanceObserved.
type InstancePhase string

// The phases. The last three are ends: the instance holds nothing any more.
const (
	InstancePending   InstancePhase = "Pending"
	InstancePlaced    InstancePhase = "Placed"
	InstanceSucceeded InstancePhase = "Succeeded"
	InstanceFailed    InstancePhase = "Failed"
	// InstanceLost: its node is gone, or was unreachable for as long as its policy
	// allows. Its process may still run there.
	InstanceLost InstancePhase = "Lost"
)

// Ended says that the instance holds nothing of its node any more.
func (p InstancePhase) Ended() bool {
	return p == InstanceSucceeded || p == InstanceFailed || p == InstanceLost
}

// ProcessState is what a worker says of an instance's process.
type ProcessState string

// The states.
const (
	ProcessStarting ProcessState = "Starting"
	ProcessRunning  ProcessState = "Running"
	// ProcessWaiting: it ended, and will be started again.
	ProcessWaiting ProcessState = "Waiting"
	// ProcessStopping: it was asked to end.
	ProcessStopping ProcessState = "Stopping"
	// ProcessExited: it ended, and will not be started again.
	ProcessExited ProcessState = "Exited"
)

type (
	// InstanceSpec is the spec of an object of kind instances.candor: one process on
	// one node. An instance is placed once; another place takes another instance.
	InstanceSpec struct {
		InstanceTemplate
		// Priority is its class's value when it was made.
		Priority int32 `json:"priority,omitempty"`
		// Preempts: it may have instances of less priority evicted.
		Preempts bool `json:"preempts,omitempty"`
	}

	// InstanceStatus is reconciled by the duties schedule and controllers.
	InstanceStatus struct {
		ObservedGeneration uint64        `json:"observedGeneration,omitempty"`
		Phase              InstancePhase `json:"phase,omitempty"`
		// Node and NodeUID are where it was placed, for good.
		Node    string `json:"node,omitempty"`
		NodeUID string `json:"nodeUID,omitempty"`
		// Nominated is the node that is being made free for it.
		Nominated string `json:"nominated,omitempty"`
		// Decision is the newest about it.
		Decision   *Decision  `json:"decision,omitempty"`
		Conditions Conditions `json:"conditions,omitempty"`
	}

	// InstanceObserved is what its worker says (status.observed).
	InstanceObserved struct {
		State ProcessState `json:"state"`
		Ready bool         `json:"ready,omitempty"`
		// Session is that of the worker who says so.
		Session   string    `json:"session,omitempty"`
		PID       int       `json:"pid,omitempty"`
		StartedAt time.Time `json:"startedAt,omitzero"`
		// ReadySince is the worker's clock when Ready last became true.
		ReadySince time.Time `json:"readySince,omitzero"`
		EndedAt    time.Time `json:"endedAt,omitzero"`
		Restarts   int32     `json:"restarts,omitempty"`
		// ExitCode is of the newest process that ended; 128+n for signal n.
		ExitCode *int32 `json:"exitCode,omitempty"`
		Message  string `json:"message,omitempty"`
	}
)
