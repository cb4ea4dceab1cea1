package freshness

import (
	"time"

	"github.com/candor-plane/candor"
)

// Node is what a node knows of itself at one moment, and what it has done for
// the request at hand.
type Node struct {
	// View says that there is one; Applied is its token.
	View    bool
	Applied candor.Token
	// Leads says that the node believes that it leads. It proves nothing.
	Leads     bool
	Condition Condition
	// Proof is the newest applied one; nil when there is none. Lag is how far the
	// view is behind the newest proof of all; nil without any.
	Proof *Proof
	Lag   *uint64

	// ReadIndex was established for this request, after it came.
	ReadIndex ReadIndex
	// Probe was made for this request, because no proof was good enough.
	Probe Probe
	// Waited says that waiting for a position ended without reaching it.
	Waited bool
}

// Proof is that a view holds everything acknowledged before a moment.
type Proof struct {
	// Age is how long ago that moment was, on the node's own clock.
	Age time.Duration
	// Current says that the proof is inside the node's policy window.
	Current bool
}

// Step is how far something came that a request needs.
type Step uint8

// The steps.
const (
	NotYet Step = iota
	Done
	Failed
)

// ReadIndex is the index that a STRONG read must have applied, once Done.
type ReadIndex struct {
	Step  Step
	Index uint64
}

// Probe asked the leader for a proof; Index is what it covers, once Done.
type Probe struct {
	Step  Step
	Index uint64
}
