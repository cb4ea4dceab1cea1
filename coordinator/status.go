package coordinator

import (
	"maps"
	"time"

	"github.com/candor-plane/candor"
)

// Status is one duty on this node.
type Status struct {
	Duty string
	// Acting says that the duty runs here, in that Era; Believes that this node may
	// answer out of its own memory, at the moment at which the status is asked for.
	Acting, Believes bool
	Era              uint64
	// Follows says that the duty goes with leadership.
	Follows bool
	// Renewed is how long ago this node last renewed it.
	Renewed time.Duration
	// Resting is for how long this node will not campaign.
	Resting time.Duration

	// Grants, Renewals and GivenUp are of this node; Stages are what eras of the duty
	// reached, on any node, since this one began to look; Refused counts its own events
	// that the root did not take.
	Grants, Renewals, GivenUp uint64
	Stages                    map[Stage]uint64
	Refused                   map[candor.Reason]uint64

	grant *Grant
}

// tell publishes how the duty stands here.
func (k *keeper) tell() {
	elapsed := k.node.Elapsed()
	s := &Status{Duty: k.duty.Name, Follows: k.follows, Resting: max(0, k.rest-elapsed, k.unfit-elapsed)}
	if k.acting != nil {
		s.Acting, s.Era, s.Renewed, s.grant = true, k.acting.grant.Era, elapsed-k.renewed, k.acting.grant
	}
	k.told.Store(s)
}

func (k *keeper) status() Status {
	s := Status{Duty: k.duty.Name}
	if told := k.told.Load(); told != nil {
		s = *told
	}
	s.Believes = s.grant != nil && s.grant.Holds()
	s.Grants, s.Renewals, s.GivenUp = k.counts.grants.Load(), k.counts.renewals.Load(), k.counts.givenUp.Load()
	k.counts.mu.Lock()
	defer k.counts.mu.Unlock()
	s.Stages, s.Refused = maps.Clone(k.counts.stages), maps.Clone(k.counts.refusals)
	return s
}
