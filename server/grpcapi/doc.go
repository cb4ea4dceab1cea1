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

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/kinds"
	"github.com/candor-plane/candor/server/read"
)

// Reader serves views under a freshness contract.
type Reader interface {
	View(ctx context.Context, q read.Request) (*fsm.View, candor.Witness, error)
	Witness(view *fsm.View) candor.Witness
}

// Proposer puts commands through the log; a follower forwards them once.
type Proposer interface {
	Propose(ctx context.Context, c *command.Command, expectedConfiguration uint64) (fsm.Result, error)
	WaitApplied(ctx context.Context, index uint64) error
}

// Kinds validates and defaults.
type Kinds interface {
	ByName(name candor.KindName) (*kinds.Kind, error)
	ByType(apiVersion, kind string) (*kinds.Kind, error)
}

// Changes wakes watches.
type Changes interface {
	Changed(kind candor.KindName) (*fsm.View, <-chan struct{})
}
