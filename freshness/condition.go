package freshness

import (
	"time"

	"github.com/candor-plane/candor"
)

// Condition is what a node says of itself.
type Condition struct {
	// CatchUp is empty where it is not known.
	CatchUp candor.CatchUpState
	Action  candor.CatchUpAction
	Mode    candor.DegradedMode
	// Reason is a word for the mode; empty when HEALTHY.
	Reason ModeReason
}

// ModeReason is why a node is degraded.
type ModeReason string

// The reasons of the modes.
const (
	// ReasonOperator and the next two are of VIEW_ONLY.
	ReasonOperator    ModeReason = "OPERATOR"
	ReasonQuarantined ModeReason = "QUARANTINED"
	ReasonRemoved     ModeReason = "REMOVED"
	// ReasonNoView and ReasonNoProof are of ROOT_UNAVAILABLE.
	ReasonNoView  ModeReason = "NO_VIEW"
	ReasonNoProof ModeReason = "NO_PROOF"
	// ReasonLag and ReasonProofAge are of ROOT_LAGGING.
	ReasonLag      ModeReason = "LAG"
	ReasonProofAge ModeReason = "PROOF_AGE"
	// ReasonNoLeader and ReasonDraining are of COORDINATOR_DEGRADED.
	ReasonNoLeader ModeReason = "NO_LEADER"
	ReasonDraining ModeReason = "DRAINING"
)

// Observation is what a node's condition follows from.
type Observation struct {
	// Applied is the view's index, LastLog the last one that the node's log
	// holds.
	Applied, LastLog uint64
	// Recovering says that the view has not come back yet to where the node was
	// before it started.
	Recovering bool
	// Installing says that a snapshot is being installed, Reloading that a
	// quarantined view is being rebuilt.
	Installing, Reloading bool
	// ProofAge is of the newest applied proof, Lag how far the view is behind the
	// newest proof of all; nil where there is none.
	ProofAge *time.Duration
	Lag      *uint64
	// LeaderFirst is the first index that the leader's log still holds; 0 when
	// not known.
	LeaderFirst uint64
	// ViewOnly is why the node must not be relied on, or empty.
	ViewOnly ModeReason
	// Leader says that one is known, Draining that the node is about to leave.
	Leader, Draining bool
}

// Assess says in what condition a node is.
func Assess(o *Observation, p *Policy) Condition {
	c := Condition{}
	c.CatchUp, c.Action = catchUp(o, p)
	c.Mode, c.Reason = mode(o, p)
	return c
}

func catchUp(o *Observation, p *Policy) (candor.CatchUpState, candor.CatchUpAction) {
	switch {
	case o.ViewOnly == ReasonRemoved:
		// The leader sends nothing to a node that is no member.
		return settled(o, p), candor.CatchUpReject
	case o.Installing:
		return orWithoutView(o, candor.CatchUpRecovering), candor.CatchUpBootstrap
	case o.Reloading:
		return candor.CatchUpRecovering, candor.CatchUpReload
	case o.LeaderFirst > o.LastLog+1:
		return orWithoutView(o, candor.CatchUpBootstrapRequired), candor.CatchUpBootstrap
	case o.Applied == 0:
		return candor.CatchUpUnavailable, candor.CatchUpAdvance
	case o.Recovering:
		return candor.CatchUpRecovering, candor.CatchUpAdvance
	}
	state := settled(o, p)
	if state == candor.CatchUpLagging {
		return state, candor.CatchUpAdvance
	}
	return state, candor.CatchUpNone
}

func orWithoutView(o *Observation, state candor.CatchUpState) candor.CatchUpState {
	if o.Applied == 0 {
		return candor.CatchUpUnavailable
	}
	return state
}

// settled is the state of a view that is what it was: not known without a
// proof inside the window.
func settled(o *Observation, p *Policy) candor.CatchUpState {
	switch {
	case o.Applied == 0:
		return candor.CatchUpUnavailable
	case o.Lag != nil && *o.Lag > p.FreshLag:
		return candor.CatchUpLagging
	case o.ProofAge == nil || *o.ProofAge > p.Window:
		return ""
	case *o.ProofAge > p.FreshAge:
		return candor.CatchUpLagging
	default:
		return candor.CatchUpFresh
	}
}

// mode is the worst that holds.
func mode(o *Observation, p *Policy) (candor.DegradedMode, ModeReason) {
	switch {
	case o.ViewOnly != "":
		return candor.ModeViewOnly, o.ViewOnly
	case o.Applied == 0:
		return candor.ModeRootUnavailable, ReasonNoView
	case o.ProofAge == nil || *o.ProofAge > p.Window:
		return candor.ModeRootUnavailable, ReasonNoProof
	case o.Lag != nil && *o.Lag > p.FreshLag:
		return candor.ModeRootLagging, ReasonLag
	case *o.ProofAge > p.FreshAge:
		return candor.ModeRootLagging, ReasonProofAge
	case o.Draining:
		return candor.ModeCoordinatorDegraded, ReasonDraining
	case !o.Leader:
		return candor.ModeCoordinatorDegraded, ReasonNoLeader
	default:
		return candor.ModeHealthy, ""
	}
}

// Sync is one word for how the view stands to the newest proof: IN_SYNC when it
// misses nothing that is known of, BEHIND, or UNPROVEN.
func (c *Condition) Sync(lag *uint64) string {
	switch {
	case lag == nil || c.Mode == candor.ModeRootUnavailable:
		return "UNPROVEN"
	case *lag > 0:
		return "BEHIND"
	default:
		return "IN_SYNC"
	}
}
