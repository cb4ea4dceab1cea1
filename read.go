package candor

import "time"

// ReadRequest is the contract that a reader asks for. The zero value asks for
// the newest state, strongly.
type ReadRequest struct {
	Freshness Freshness
	// Required is a token that the view must cover; zero for none.
	Required PortableToken
	// MaxLag and MaxStaleness bound BOUNDED reads; nil for the defaults.
	MaxLag       *uint64
	MaxStaleness *time.Duration
	// AtRevision reads an older state; 0 for the newest.
	AtRevision uint64
}
