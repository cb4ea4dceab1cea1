package topology

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

// Root is what the executor sees of the replicated root. Its methods may be called
// concurrently.
type Root interface {
	// Pending is what pends of membership changes by this node's newest view. The
	// channel is closed once a later view shows others, or other members.
	Pending() (seen Seen, changed <-chan struct{})
	// Plan plans a step under an era of this node's, and returns once this node's own
	// view has it. A refusal is an error, CONFLICT where another pends.
	Plan(ctx context.Context, era uint64, p *transition.Plan) (transition.Verdict, error)
	// End ends a transition under an era of this node's, and returns likewise. That it
	// has ended already is no error.
	End(ctx context.Context, era uint64, p *transition.Plan, phase transition.Phase, report *transition.Journal) error
}

// Seen is what pends, as of one view.
type Seen struct {
	// Pending are in the order in which they were planned.
	Pending []transition.Transition
	// Token is the view's, Leader who leads as far as this node knows.
	Token  candor.Token
	Leader string
	// Now is about the cluster time, as this node would stamp it.
	Now int64
}

// Members is what the executor sees of Raft. Each method fails with NOT_LEADER where
// this node does not lead. Those that change take the index of the configuration that
// they change, and fail with EPOCH_MISMATCH where there is a newer one; an error of
// reason OUTCOME_UNKNOWN says that it may have been done.
type Members interface {
	// Configuration is the newest, after a confirmed read, with who answers now and how
	// far each has proved to be.
	Configuration(ctx context.Context) (Configuration, error)
	// Add brings a server in without a vote, or moves it.
	Add(ctx context.Context, server, address string, configuration uint64) error
	// Promote gives a member its vote, once it has proved that its view holds
	// everything acknowledged before.
	Promote(ctx context.Context, server string, configuration uint64) error
	// Remove takes a member out. force overrides what Remove itself would refuse for
	// the quorum's sake.
	Remove(ctx context.Context, server string, configuration uint64, force bool) error
	// Transfer makes a voter lead, and returns once this node does not.
	Transfer(ctx context.Context, server string) error
}
