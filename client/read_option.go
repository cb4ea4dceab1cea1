package client

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// ReadOption is one term of the contract of a read. Without any, a read is
// STRONG and requires the session's token.
type ReadOption func(*readTerms)

// readTerms are what a read asks for.
type readTerms struct {
	freshness         candor.Freshness
	required          candor.Token // beside the session's
	maxLag            *uint64
	maxStaleness      time.Duration
	followerReadIndex bool
	atRevision        uint64
	endpoint          string
	withoutSession    bool
}

// WithFreshness asks for a class. It is served as asked or refused with the
// reason; BOUNDED and BEST_EFFORT can be served by any node.
func WithFreshness(f candor.Freshness) ReadOption {
	return func(t *readTerms) { t.freshness = f }
}

// WithMaxLag refuses a view that misses more than n log entries.
func WithMaxLag(n uint64) ReadOption {
	return func(t *readTerms) { t.maxLag = &n }
}

// WithMaxStaleness refuses a view that may miss what was acknowledged longer
// than d ago.
func WithMaxStaleness(d time.Duration) ReadOption {
	return func(t *readTerms) { t.maxStaleness = d }
}

// WithRequiredToken waits, until the deadline, for a view that covers token.
func WithRequiredToken(token candor.Token) ReadOption {
	return func(t *readTerms) { t.required = token }
}

// WithFollowerReadIndex lets any node serve a STRONG read, after it has asked
// the leader how far it must be.
func WithFollowerReadIndex() ReadOption {
	return func(t *readTerms) { t.followerReadIndex = true }
}

// AtRevision reads the state as it was at a revision; COMPACTED when it is not
// kept any more.
func AtRevision(revision uint64) ReadOption {
	return func(t *readTerms) { t.atRevision = revision }
}

// OnEndpoint asks the node at addr and no other.
func OnEndpoint(addr string) ReadOption {
	return func(t *readTerms) { t.endpoint = addr }
}

// WithoutSession neither requires the session's token nor raises it.
func WithoutSession() ReadOption {
	return func(t *readTerms) { t.withoutSession = true }
}

// set applies the options and completes the terms from the session. It returns
// the session that takes part, or nil, and what to send.
func (t *readTerms) set(c *Client, options []ReadOption) (*Session, *candorv1.ReadOptions, error) {
	for _, option := range options {
		option(t)
	}
	if t.freshness == "" {
		t.freshness = candor.FreshnessStrong
	}
	freshness := convert.FreshnessToProto(t.freshness)
	if freshness == candorv1.Freshness_FRESHNESS_UNSPECIFIED {
		return nil, nil, candor.Errorf(candor.ReasonInvalid, "freshness %q: want %s, %s or %s",
			t.freshness, candor.FreshnessStrong, candor.FreshnessBounded, candor.FreshnessBestEffort)
	}
	read := &candorv1.ReadOptions{
		Freshness: freshness, MaxRootLag: t.maxLag, AllowFollowerReadIndex: t.followerReadIndex, AtRevision: t.atRevision,
	}
	if t.maxStaleness != 0 {
		read.MaxStaleness = durationpb.New(t.maxStaleness)
	}
	var session *Session
	if !t.withoutSession {
		session = c.session
	}
	required, err := t.require(session)
	read.RequiredRootToken = required
	return session, read, err
}

// require is the higher of what the caller and what the session requires.
func (t *readTerms) require(s *Session) (*candorv1.PortableToken, error) {
	known := &emptySession
	if s != nil {
		known = s.load()
	}
	if t.required.IsZero() {
		t.required = known.token.Token
		return known.required, nil
	}
	both := known.token
	both.Token = t.required
	merged, err := merge(known.token, both)
	if err != nil {
		return nil, err
	}
	t.required = merged.Token
	return convert.PortableTokenToProto(merged), nil
}

// route is which nodes can serve a read of these terms.
func (t *readTerms) route() route {
	if t.freshness == candor.FreshnessStrong && !t.followerReadIndex {
		return toLeader
	}
	return toAny
}

// check refuses an answer that is not what was asked for.
func (t *readTerms) check(w *candor.Witness) error {
	if w.Requested != t.freshness {
		return breach(w.NodeID, "node %s answers a read of class %q; %s was asked for", nameOf(w), w.Requested, t.freshness)
	}
	if w.Served != "" && w.Served != t.freshness {
		return breach(w.NodeID, "node %s served %s where %s was asked for, and did not refuse", nameOf(w), w.Served, t.freshness)
	}
	if !w.ServedToken.Covers(t.required) {
		return &candor.Error{
			Reason: candor.ReasonTokenConflict, Subject: w.NodeID,
			Message: "node " + nameOf(w) + " served " + w.ServedToken.String() + " where " + t.required.String() + " was required, and did not refuse",
		}
	}
	return nil
}
