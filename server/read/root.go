package read

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
)

// Root is what this package needs of the replica. The clock of its moments goes
// on while the machine is suspended.
type Root interface {
	// Confirm has a majority confirm that this node leads, after the call.
	Confirm(ctx context.Context) (Proof, error)
	// Prove is Confirm on a leader; any other node has the leader do so. A reason
	// of NOT_A_MEMBER is a leader's word that this node was removed.
	Prove(ctx context.Context) (Proof, error)
	// Elapsed is how long ago a moment was.
	Elapsed(since time.Duration) time.Duration
	// WaitApplied returns once the view has applied index.
	WaitApplied(ctx context.Context, index uint64) error
}

// Proof says that Index covers everything acknowledged before Began.
type Proof struct {
	Index, Term uint64
	Began       time.Duration
	// Root is the newest position that the leader's view had, First the first index
	// of its log, or 0.
	Root  candor.Token
	First uint64
	// Agreed is a digest that a majority shared; index 0 for none.
	Agreed fsm.IndexDigest
}

// Node is what the node knows of itself without asking. Both methods are cheap.
type Node interface {
	Observe() Observed
	// Leader is where the leader is believed to be; nil when not known.
	Leader() *candor.LeaderHint
}

// Observed is the node at one moment.
type Observed struct {
	// Leads says that the node believes that it leads, LeaderKnown that some node
	// is believed to, Draining that this one is about to stop.
	Leads, LeaderKnown, Draining bool
	// LastLog is the last index of the node's log.
	LastLog uint64
	// Recovered says that the view has come as far as the log went at the start,
	// Installing that a leader's snapshot is on its way in.
	Recovered, Installing bool
	// UpdatedAt is the wall clock when the view was published.
	UpdatedAt time.Time
}

// Trust knows whether the view may be relied on.
type Trust interface {
	// ViewOnly is why not, or empty; reloading says that the view is being rebuilt.
	ViewOnly() (why freshness.ModeReason, reloading bool)
	// Heard takes a digest that a majority shared.
	Heard(agreed fsm.IndexDigest)
	// Removed takes a leader's word on whether this node is a member.
	Removed(removed bool)
	// Changed is closed once ViewOnly answers otherwise.
	Changed() <-chan struct{}
}
