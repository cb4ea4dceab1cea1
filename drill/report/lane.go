package report

import (
	"slices"
	"time"
)

// Lanes is what every server and every duty went through.
type Lanes struct {
	Nodes  []NodeLane `json:"nodes,omitempty"`
	Duties []DutyLane `json:"duties,omitempty"`
}

// NodeLane is one server. Where no interval covers a time, nothing is known of it.
type NodeLane struct {
	Node      string     `json:"node"`
	Intervals []Interval `json:"intervals,omitempty"`
}

// Interval is a time in which a server was in one state.
type Interval struct {
	From  time.Duration `json:"from"`
	To    time.Duration `json:"to"`
	State State         `json:"state"`
	// Term is Raft's; 0 where it is not known.
	Term uint64 `json:"term,omitempty"`
}

// State of a server.
type State string

// The states. Paused is stopped by a signal; Down has no process; Degraded runs and
// says that it does not do all that it should; Unknown could not be asked.
const (
	Leader    State = "leader"
	Follower  State = "follower"
	Candidate State = "candidate"
	Paused    State = "paused"
	Down      State = "down"
	Degraded  State = "degraded"
	Unknown   State = "unknown"
)

// states in the order of a legend.
var states = []State{Leader, Follower, Candidate, Paused, Down, Degraded, Unknown}

// known is the state, or Unknown for one that this package cannot draw.
func (s State) known() State {
	if slices.Contains(states, s) {
		return s
	}
	return Unknown
}

// DutyLane is one duty. Where no era covers a time, nobody held it.
type DutyLane struct {
	Duty string `json:"duty"`
	Eras []Era  `json:"eras,omitempty"`
}

// Era is a time in which one server held a duty.
type Era struct {
	From   time.Duration `json:"from"`
	To     time.Duration `json:"to"`
	Era    uint64        `json:"era"`
	Holder string        `json:"holder"`
}

// Band is a fault, and the time that it lasted.
type Band struct {
	Kind    string   `json:"kind"`
	Targets []string `json:"targets,omitempty"`
	// Of is the kind more closely: a partition's shape, a duty, what is damaged.
	Of string `json:"of,omitempty"`
	// To is From for what was done in a moment.
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	Bite Bite          `json:"bite"`
	// Befell are the instances that it befell.
	Befell []Befallen `json:"befell,omitempty"`
	// Note is how it was made, or why it was not.
	Note string `json:"note,omitempty"`
	// Leader led when it began; empty where that was not seen.
	Leader string `json:"leader,omitempty"`
	// Pause is the longest time from one acknowledged write to the next, while it lasted
	// and for a second after; 0 where nobody wrote.
	Pause time.Duration `json:"pause,omitempty"`
}

// Bite is what was seen of a fault; a fault with none makes a drill inconclusive.
type Bite struct {
	Seen int    `json:"seen"`
	What string `json:"what,omitempty"`
}

// Befallen is an instance that a fault befell.
type Befallen struct {
	Instance string `json:"instance"`
	UID      string `json:"uid"`
}

// Flag is a broken promise at a moment of the axis.
type Flag struct {
	At       time.Duration `json:"at"`
	Property string        `json:"property"`
}
