package client

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// ReadOption is one term of the contract of a read. Without any, a read is
// STRONG and requires the session's token.
type ReadOption func(*readTerms)

// readTerms are what a read asks for.
type readTerms struct {
	asked          candor.ReadRequest
	endpoint       string
	withoutSession bool
	acceptStale    bool
	duty           string
	age            *Age
	// query is asked with the defaults and what the session requires: what the
	// answer must keep.
	query freshness.Request
}

// WithFreshness asks for a class. It is served as asked or refused with the
// reason; BOUNDED and BEST_EFFORT can be served by any node.
func WithFreshness(f candor.Freshness) ReadOption {
	return func(t *readTerms) { t.asked.Freshness = f }
}

// WithMaxLag refuses a view that misses more than n log entries.
func WithMaxLag(n uint64) ReadOption {
	return func(t *readTerms) { t.asked.MaxLag = &n }
}

// WithMaxStaleness refuses a view that may miss what was acknowledged longer
// than d ago; without it a BOUNDED read asks for freshness.DefaultMaxStaleness.
// It must be more than 0.
func WithMaxStaleness(d time.Duration) ReadOption {
	return func(t *readTerms) { t.asked.MaxStaleness = &d }
}

// WithRequiredToken waits, until the deadline, for a view that covers token.
func WithRequiredToken(token candor.Token) ReadOption {
	return func(t *readTerms) { t.asked.Required.Token = token }
}

// WithFollowerReadIndex lets any node serve a STRONG read, after it has asked
// the leader how far it must be.
func WithFollowerReadIndex() ReadOption {
	return func(t *readTerms) { t.asked.FollowerReadIndex = true }
}

// AtRevision reads the state as it was at a revision; COMPACTED when it is not
// kept any more.
func AtRevision(revision uint64) ReadOption {
	return func(t *readTerms) { t.asked.AtRevision = revision }
}

// OnEndpoint asks the node at addr and no other.
func OnEndpoint(addr string) ReadOption {
	return func(t *readTerms) { t.endpoint = addr }
}

// WithoutSession neither requires the session's token nor raises it.
func WithoutSession() ReadOption {
	return func(t *readTerms) { t.withoutSession = true }
}

// AcceptStale has a STRONG or BOUNDED read repeated as BEST_EFFORT when it
// cannot be had as asked: once every node that can be reached has said that it
// has no root, or when its time is up. The last quarter of the time, a second at
// most, is kept for that. The answer's witness then says BEST_EFFORT; a
// required token, the session's too, is required all the same. It does not
// apply to a watch.
func AcceptStale() ReadOption {
	return func(t *readTerms) { t.acceptStale = true }
}

// WithDuty says that the holder of a duty is to answer: an answer of a lower era
// than the session has seen for the duty is refused (see WitnessError).
func WithDuty(duty string) ReadOption {
	return func(t *readTerms) { t.duty = duty }
}

// WithAge has the read tell how old its answer may be, seen from here.
func WithAge(age *Age) ReadOption {
	return func(t *readTerms) { t.age = age }
}

// set applies the options and completes the terms from the session. It returns
// the session that takes part, or nil, and what to send.
func (t *readTerms) set(c *Client, options []ReadOption) (*Session, *candorv1.ReadOptions, error) {
	for _, option := range options {
		option(t)
	}
	query, err := freshness.RequestOf(&t.asked)
	if err != nil {
		return nil, nil, err
	}
	t.query = query
	read := &candorv1.ReadOptions{
		Freshness: convert.FreshnessToProto(query.Class), MaxRootLag: query.MaxLag,
		AllowFollowerReadIndex: query.FollowerReadIndex, AtRevision: t.asked.AtRevision,
	}
	if t.asked.MaxStaleness != nil {
		read.MaxStaleness = durationpb.New(*t.asked.MaxStaleness)
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
	if t.asked.Required.IsZero() {
		t.query.Required = known.token.Token
		return known.required, nil
	}
	both := known.token
	both.Token = t.asked.Required.Token
	merged, err := merge(known.token, both)
	if err != nil {
		return nil, err
	}
	t.query.Required = merged.Token
	return convert.PortableTokenToProto(merged), nil
}

// route is which nodes can serve a read of these terms.
func (t *readTerms) route() route {
	if t.query.Class == candor.FreshnessStrong && !t.query.FollowerReadIndex {
		return toLeader
	}
	return toAny
}

// mayBeStale: the caller allowed a weaker class, and there is one.
func (t *readTerms) mayBeStale() bool { return t.acceptStale && weakens(t.query.Class) }
