package read

import (
	"time"

	"github.com/candor-plane/candor/freshness"
)

// Status is what the node knows of how far its view is behind.
type Status struct {
	Condition freshness.Condition
	// ProofAge is of the newest applied proof, NewestAge of the newest one; nil
	// where there is none. Lag is absent without any.
	ProofAge, NewestAge     *time.Duration
	NewestIndex, NewestTerm uint64
	Lag                     *uint64
	LeaderFirst             uint64
	Probes, ProbesFailed    uint64
	// Failure is why the newest probe gave no proof.
	Failure string
	Policy  freshness.Policy
	Beacon  time.Duration
	Reads   []Count
}

// Status describes the node now.
func (r *Reader) Status() Status {
	s := serving{reader: r}
	s.look()
	out := Status{
		Condition: s.node.Condition, Lag: s.node.Lag, Policy: r.config.Policy, Beacon: r.config.Beacon,
		Probes: r.counts.probes.Load(), ProbesFailed: r.counts.failed.Load(), Reads: r.counts.list(),
	}
	if s.node.Proof != nil {
		out.ProofAge = &s.node.Proof.Age
	}
	if s.proven != nil {
		age := r.config.Root.Elapsed(s.newest.Began)
		out.NewestAge, out.NewestIndex, out.NewestTerm, out.LeaderFirst = &age, s.newest.Index, s.newest.Term, s.newest.First
	}
	if e := r.failure.Load(); e != nil {
		out.Failure = e.Error()
	}
	return out
}
