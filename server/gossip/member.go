package gossip

import "time"

// State is what this node believes about a member's liveness, for people.
type State string

const (
	// StateAlive means that gossip counts the member as alive and it answers probes.
	StateAlive State = "ALIVE"
	// StateSuspect means that gossip still counts it as alive, but it left this
	// node's last probes unanswered. The opinion of this node alone.
	StateSuspect State = "SUSPECT"
	// StateDead means that gossip gave it up without a goodbye.
	StateDead State = "DEAD"
	// StateLeft means that it said goodbye and is gone.
	StateLeft State = "LEFT"
)

// Member is one server as this node last heard of it, itself included.
type Member struct {
	Meta
	State State
	Self  bool
	Addr  string // where it gossips, host:port
	// Since is when State began and UpdatedAt when Meta last changed, both by
	// this node's clock.
	Since     time.Time
	UpdatedAt time.Time
	// HeardAt is when it last answered a probe of this node, RTT how fast; zero
	// until it did.
	HeardAt time.Time
	RTT     time.Duration
}

// Event tells a subscriber that a member changed in state or metadata, or that
// a conflict was first seen or proven.
type Event struct {
	Member   Member
	Was      State     // the member's state before; empty when it is new
	Conflict *Conflict // set for a conflict only; Member is zero then
	// Missed counts the events that were dropped before this one because the
	// subscriber was slow. When it is not 0, read Members again.
	Missed uint64
}
