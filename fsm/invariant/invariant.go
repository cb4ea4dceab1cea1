// Package invariant holds the named promises of the root as functions, one
// each, over what a single turn is about to change. The turn runs all of them
// before it commits; verifiers and tests run the same functions.
//
// They stand apart from the rules that make a turn: a rule refuses bad input
// with a reason that its sender can act on, an invariant catches a rule that
// failed. Each looks at the turn's own changes only, so its cost does not grow
// with the state. They are pure and may run anywhere.
package invariant

import (
	"github.com/candor-plane/candor"
)

// Section is the part of an object that an operation may write.
type Section uint8

// The sections. SectionLife is finalizing and removal, with the finalizer of a foreground
// deletion. SectionPlace is what makes a place known to workers and holds it: the label
// candor/node of an instance, and the finalizer candor/stop.
const (
	SectionSpec Section = 1 << iota
	SectionStatus
	SectionObserved
	SectionLife
	SectionPlace
)

// Change is one object before and after the turn. Before is nil when there was
// no live object; After is nil when the turn removes it.
type Change struct {
	Ref candor.Ref
	// Before and After must not be modified.
	Before, After *candor.Object
	// Allowed is what the operation that made the change may write.
	Allowed Section
	// System marks changes by cascades, which may drop owner references.
	System bool
}

// Turn is what an invariant sees.
type Turn struct {
	// TokenBefore and TokenAfter are the root's; Revision of TokenAfter is one
	// higher exactly when the turn changes objects.
	TokenBefore, TokenAfter candor.Token
	Changes                 []Change
	// Tenures are the duties whose tenure the turn changes. Fence is what the command
	// was fenced by; nil for one that names no duty.
	Tenures []TenureChange
	Fence   *Fence
	// Transitions are the entries of the index of transitions that the turn changes.
	Transitions []TransitionChange
	// Held is what live placements held of a node before the turn.
	Held func(node, uid string) candor.Resources
	// Live finds an object as the turn leaves it, or nil.
	Live func(candor.Ref) *candor.Object

	readings []transitionReading
}

// Violation is a broken promise.
type Violation struct {
	Invariant string
	Subject   string
	Detail    string
}

// Check is one named invariant. Run returns the first violation, or nil.
type Check struct {
	Name    string
	Promise string
	Run     func(*Turn) *Violation
}

// All returns the invariants that a turn runs, in order.
func All() []Check { return all }

var all = []Check{
	{"MonotonicToken", "the root's position only moves forward", monotonicToken},
	{"MonotonicRevision", "a turn that changes objects makes exactly one revision, above every version it replaces", monotonicRevision},
	{"ValidOwnerReference", "every new owner reference names a live object by uid, in the same namespace or in none", validOwnerReference},
	{"SectionWriter", "an operation writes only the part of an object that it may", sectionWriter},
	{"GenerationCountsSpec", "generation rises by one exactly when spec changes", generationCountsSpec},
	{"IdentityIsFixed", "uid, name, namespace, kind and creation never change in an object's life", identityIsFixed},
	{"NamespaceHolds", "an object lives in a namespace that exists, and none is born in one that terminates", namespaceHolds},
	{"FinalizersHold", "no object goes while a finalizer holds it", finalizersHold},
	{"CapacityNotExceeded", "what live placements hold of a node never rises above what its worker reports", capacityNotExceeded},
	{"OneLivePlacementPerInstance", "an instance gets its place once, from the placing turn, keeps it, and leaves no end", oneLivePlacementPerInstance},
	{"OneActiveTenurePerDuty", "at most one era of a duty is active, and each is granted once", oneActiveTenurePerDuty},
	{"FrontierCovered", "an era cites the seal of the one before it and starts at or above all that it may have used", frontierCovered},
	{"SealedIsSilent", "nothing is accepted under an era that is not active", sealedIsSilent},
	{"HandoverEnds", "eras are sealed, confirmed and closed in that order, older ones first, and none is forgotten before", handoverEnds},
	{"TransitionIdentity", "what a transition is never changes, and its ID follows from it", transitionIdentity},
	{"ForwardOnlyOutcome", "phase, outcome and times of a transition only move forward, and an end is final", forwardOnlyOutcome},
	{"NoSkippedPublish", "no transition counts as ended before its end is in the root", noSkippedPublish},
	{"NoHiddenDrop", "no transition goes before its end is in the root", noHiddenDrop},
	{"EveryVersionHasACause", "every version says who made it and what it replaced", everyVersionHasACause},
}

func violated(name string, ref candor.Ref, detail string) *Violation {
	return &Violation{Invariant: name, Subject: ref.String(), Detail: detail}
}
