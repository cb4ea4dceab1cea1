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
	// FollowerReadIndex lets a follower serve STRONG, after it asked the leader
	// how far its view must be.
	FollowerReadIndex bool
	// AtRevision reads an older state; 0 for the newest.
	AtRevision uint64
}
