package tenure

// State is where an era is in its life.
type State string

// The states. An era is born ACTIVE and ends CLOSED or REATTACHED.
const (
	// StateActive: the holder acts.
	StateActive State = "ACTIVE"
	// StateSealed: nothing of the era is accepted any more, and what it used is fixed.
	StateSealed State = "SEALED"
	// StateConfirmed: the holder of the newest era says that it covers all of it.
	StateConfirmed State = "CONFIRMED"
	// StateClosed: the handover is over.
	StateClosed State = "CLOSED"
	// StateReattached is closed too: its holder came back for the next era itself.
	StateReattached State = "REATTACHED"
)

// order is how far along a state is; 0 for what is no state.
func (s State) order() int {
	switch s {
	case StateActive:
		return 1
	case StateSealed:
		return 2
	case StateConfirmed:
		return 3
	case StateClosed:
		return 4
	case StateReattached:
		return 5
	default:
		return 0
	}
}

// Sealing is how it is known what a sealed era used.
type Sealing string

// The sealings.
const (
	// SealingExact: its holder said what it used.
	SealingExact Sealing = "EXACT"
	// SealingBound: somebody sealed it for its holder, with all that it may have
	// used.
	SealingBound Sealing = "BOUND"
)

// Era is one holder's time with a duty. The zero Era is no era.
type Era struct {
	// Number counts the eras of the duty from 1.
	Number uint64
	Holder string
	// Candidacy is what the holder drew for the campaign that won the era.
	Candidacy string
	Mandate   Mandate
	State     State

	// GrantedAt and RenewedUntil are cluster times and Duration is the time between
	// a renewal and expiry, all in nanoseconds. RenewedTerm is the Raft term of the
	// newest renewal.
	GrantedAt    int64
	Duration     int64
	RenewedUntil int64
	RenewedTerm  uint64

	// Start is inherited: the era uses what is above. Bound is the most it may have
	// used, and Usage, once it is sealed, what it did use: Start <= Usage <= Bound.
	Start, Bound, Usage Frontiers

	// Predecessor is the era before, or 0, and Lineage the digest of its seal.
	Predecessor uint64
	Lineage     Digest

	// Seal is the digest of the sealed era. The rest says how it was sealed, by
	// whom, at which cluster time, and for whom the duty is kept until when.
	Seal           Digest
	SealedBy       string
	Sealing        Sealing
	SealedAt       int64
	Successor      string
	SuccessorUntil int64
}

// Expired says that an active era was not renewed in time.
func (e *Era) Expired(clusterTime int64) bool {
	return e.State == StateActive && clusterTime >= e.RenewedUntil
}

// over says that the era's handover is over.
func (e *Era) over() bool { return e.State == StateClosed || e.State == StateReattached }

// sealed is the era once it is sealed.
func (e Era) sealed(duty string, usage Frontiers, how Sealing, by string, at int64) Era {
	e.State, e.Usage, e.Sealing, e.SealedBy, e.SealedAt = StateSealed, usage, how, by, at
	e.Seal = e.digest(duty)
	return e
}
