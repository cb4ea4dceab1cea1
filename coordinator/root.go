package coordinator

import (
	"context"
	"time"

	"github.com/candor-plane/candor/fsm/tenure"
)

// Root is what keepers see of the replicated root. Its methods may be called
// concurrently.
type Root interface {
	// Tenure is a duty's lineage by this node's newest view. The channel is closed
	// once a later view shows an era that was granted, sealed, confirmed or closed.
	Tenure(duty tenure.Duty) (l tenure.Lineage, changed <-chan struct{})
	// Propose puts an event of this node's through the root, and returns once this
	// node's own view has it.
	Propose(ctx context.Context, duty tenure.Duty, event tenure.Event) error
}

// Node is what keepers see of the node that they run on.
type Node interface {
	// Holder is this node in tenures: server/ID.
	Holder() string
	// Leadership is who leads, as far as is known (empty: nobody), as a holder. The
	// channel is closed when that may be another.
	Leadership() (leader string, changed <-chan struct{})
	// Now is about the cluster time, and the term, as this node knows them. An event
	// that comes too early by it is refused and comes again.
	Now() tenure.Now
	// Elapsed is a clock that counts suspended time (CLOCK_BOOTTIME).
	Elapsed() time.Duration
}
