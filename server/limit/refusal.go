package limit

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
)

// cause is why a request was refused.
type cause int

const (
	causeNone cause = iota
	causeQueue
	causeIdentityQueue
	causeWait
	causeDeadline
	causeEnded
	causeRate
)

const causeCount = int(causeRate) + 1

// Cause is the word for why something was refused, for metrics.
type Cause string

// The causes: of requests, of watches, of connections.
const (
	// CauseQueue is that as many requests wait as may; CauseIdentityQueue that as
	// many of this identity do.
	CauseQueue         Cause = "QUEUE"
	CauseIdentityQueue Cause = "IDENTITY_QUEUE"
	// CauseWait is that the longest wait passed, CauseDeadline that the request's
	// own deadline would have, CauseEnded that it ended.
	CauseWait     Cause = "WAIT"
	CauseDeadline Cause = "DEADLINE"
	CauseEnded    Cause = "ENDED"
	CauseRate     Cause = "RATE"

	CauseWatches         Cause = "WATCHES"
	CauseIdentityWatches Cause = "IDENTITY_WATCHES"

	CauseConnections        Cause = "CONNECTIONS"
	CauseAddressConnections Cause = "ADDRESS_CONNECTIONS"
)

var causeNames = [causeCount]Cause{
	"", CauseQueue, CauseIdentityQueue, CauseWait, CauseDeadline, CauseEnded, CauseRate,
}

// The least and the longest that a refusal tells to wait.
const (
	minRetry = 50 * time.Millisecond
	maxRetry = 30 * time.Second
)

// refuse counts a refusal and is its error. After is when it may be otherwise,
// as far as known; err is what ended the request, if anything.
func (c *class) refuse(l *line, why cause, after time.Duration, err error) error {
	c.refused[why].Add(1)
	l.refused.Add(1)
	lim := c.limits.Load()
	queuePerIdentity, has := "queue-per-identity", l.load()
	if l.identity.peer {
		queuePerIdentity = "queue"
	}
	var met, flag string
	switch why {
	case causeNone:
		panic("limit: refused for nothing")
	case causeQueue:
		met, flag = fmt.Sprintf("%d requests wait already", lim.queue), flagOf(c.name, "queue")
	case causeIdentityQueue:
		met, flag = fmt.Sprintf("%d of its requests wait already", has.waiting()), flagOf(c.name, queuePerIdentity)
	case causeWait:
		met, flag = fmt.Sprintf("no place came free within %s", lim.wait), flagOf(c.name, "places")
	case causeDeadline:
		met, flag = "its deadline is before its turn", flagOf(c.name, "places")
	case causeEnded:
		met, flag = "the request ended before its turn", flagOf(c.name, "places")
	case causeRate:
		met, flag = fmt.Sprintf("it asks more than %.3g times a second", float64(time.Second)/float64(max(1, lim.rate.interval))), flagOf(c.name, "rate")
	}
	return saturated(string(c.name)+" request", l.identity.key, met, flag, after, err)
}

// saturated is the one form of a refusal: what, whose, why, when again, and the
// flag that the operator may raise.
func saturated(what, whose, met, flag string, after time.Duration, err error) error {
	after = min(max(after, minRetry), maxRetry).Round(time.Millisecond)
	return &candor.Error{
		Reason: candor.ReasonQueueSaturated, Subject: whose, RetryAfter: after, Err: err,
		Message: fmt.Sprintf("%s of %q refused: %s; retry after %s, the bound is %s of this server", what, whose, met, after, flag),
	}
}
