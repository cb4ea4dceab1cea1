// Package grpcapi is the gRPC face of one server: thin services that decode,
// admit, validate and answer, and hold no rule of their own.
//
// It guarantees that every answer and every refusal carries a witness or a
// reason, and that whatever a library could change (schemas, defaults, patches)
// is done here, before the log. Package server makes it; gRPC calls it
// concurrently.
package grpcapi

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// Reader serves views under a freshness contract.
type Reader interface {
	View(ctx context.Context, q candor.ReadRequest) (*fsm.View, candor.Witness, error)
	Witness(view *fsm.View) candor.Witness
	// Within says whether the view has a proof no older than a bound.
	Within(bound time.Duration) bool
	// Conditions are those that this node came into after a position, the newest
	// alone at position 0, the position after them, and a channel that is closed
	// with the next.
	Conditions(after uint64) ([]NodeCondition, uint64, <-chan struct{})
}

// NodeCondition is one that a node came into.
type NodeCondition struct {
	Before, After candor.Token
	At            time.Time
	State         candor.CatchUpState
	Action        candor.CatchUpAction
	Mode          candor.DegradedMode
	Reason        string
	// Quarantined says that the view is not to be shown to anyone who goes on
	// watching it.
	Quarantined bool
}

// Proposer puts commands through the log; a follower forwards them once.
type Proposer interface {
	Propose(ctx context.Context, c *command.Command, expectedConfiguration uint64) (fsm.Result, error)
	WaitApplied(ctx context.Context, index uint64) error
	// LedIn says that this node leads, and in that term.
	LedIn(term uint64) bool
}

// Kinds validates and defaults.
type Kinds interface {
	ByName(name candor.KindName) (Kind, error)
	ByType(apiVersion, kind string) (Kind, error)
}

// Kind is one kind at one revision. Prepare validates and defaults an object in
// place.
type Kind interface {
	Name() candor.KindName
	Revision() uint64
	Prepare(o *candor.Object) error
	StatusPreparer
}

// StatusPreparer validates the two parts of status, and what may change in a
// Kind object.
type StatusPreparer interface {
	PrepareStatus(status []byte) ([]byte, error)
	PrepareObserved(observed []byte) ([]byte, error)
	CheckKindUpdate(was, is candor.KindSpec) error
}

// Changes wakes watches.
type Changes interface {
	Changed(kind candor.KindName) (*fsm.View, <-chan struct{})
	// Rights does so for what rights come from.
	Rights() (*fsm.View, <-chan struct{})
}
