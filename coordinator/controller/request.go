package controller

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

// Reconciler brings what is to what is wanted, for one key. It may be called for several
// keys at once, never twice at once for one. An error means that it is tried again,
// later and later.
type Reconciler interface {
	Reconcile(ctx context.Context, r Request) (Result, error)
}

// Request is one key to be reconciled.
type Request struct {
	Ref candor.Ref
	// Causes led to it, oldest first; Dropped is how many older ones are not among them.
	Causes  []Cause
	Dropped int
	// MinRevision is one that the state to be looked at must have reached.
	MinRevision uint64
	// Attempt is how often it was tried since it last succeeded.
	Attempt int
	// View is what is to be looked at: a state at or after MinRevision. Only a Runtime
	// sets it.
	View *informer.Reader
}

// The reasons of a Cause, apart from those of who enqueues by hand.
const (
	CauseStarted   = "STARTED"   // the runtime began, and looks at everything
	CauseCreated   = "CREATED"   // an object is new
	CauseChanged   = "CHANGED"   // an object changed
	CauseDeleted   = "DELETED"   // an object is gone
	CauseRetried   = "RETRIED"   // the attempt before failed
	CauseDelayed   = "DELAYED"   // the time that the attempt before asked for has come
	CauseUnblocked = "UNBLOCKED" // what the key was blocked on changed
)

// Cause is why a key was enqueued.
type Cause struct {
	Reason string `json:"reason"`
	// Because is the version of the object that changed; its revision is that of the
	// deletion where Reason is DELETED. Zero where there is none.
	Because candor.VersionRef `json:"because,omitzero"`
	Message string            `json:"message,omitempty"`
}

// Outcome is what became of a reconcile.
type Outcome string

// The outcomes. The first three are a reconciler's, by its Result.
const (
	OutcomeDone    Outcome = "DONE"
	OutcomeAfter   Outcome = "AFTER"
	OutcomeBlocked Outcome = "BLOCKED"
	// OutcomeFailed: it returned an error; OutcomePanicked: it did not return.
	OutcomeFailed   Outcome = "FAILED"
	OutcomePanicked Outcome = "PANICKED"
)

// Result is what a reconciler has come to: Done, After or Blocked. Results may be
// compared.
type Result struct {
	Outcome Outcome
	Delay   time.Duration
	On      candor.Ref
	Reason  string
}

// Done says that nothing is to be done until something changes.
func Done() Result { return Result{Outcome: OutcomeDone} }

// After asks for another look after d, for a reason.
func After(d time.Duration, reason string) Result {
	return Result{Outcome: OutcomeAfter, Delay: d, Reason: reason}
}

// Blocked says that it cannot go on before the object on changes, for a reason. A change of that
// object enqueues the key, whatever the inputs map it to, where the store holds its kind.
func Blocked(on candor.Ref, reason string) Result {
	return Result{Outcome: OutcomeBlocked, On: on, Reason: reason}
}
