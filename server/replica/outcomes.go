package replica

import (
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// outcomesKept bounds the requests that are remembered after their calls ended:
// those that were not done, and those whose fate is not known.
const outcomesKept = 4096

// Outcomes knows how far the requests came that this server took, by actor and
// request ID. What the root has accepted the root remembers, so it is forgotten
// here; asked about a request, ask Outcomes first and the root then.
//
// A request moves from QUEUED to PROPOSED and no way back, and ends as REJECTED
// (it did not reach the log) or FAILED (its turn refused it) only when no attempt
// that came here can be done any more. A repeat of a request that ended so begins
// anew. Methods may be called concurrently.
type Outcomes struct {
	mu       sync.Mutex
	requests map[requestName]*request
	kept     [outcomesKept]*request
	next     int
	last     lastOutcomes
}

type requestName struct{ actor, id string }

// Became is how far a request came. The zero value is "nothing is known".
type Became struct {
	Outcome candor.Outcome
	// Reason is why, of REJECTED and FAILED.
	Reason candor.Reason
	// Token is what an APPLIED request reached.
	Token candor.Token
}

// request is one request and all attempts at it. The nil request has no ID, and
// nothing is known of it.
type request struct {
	of   *Outcomes
	name requestName
	// open counts the calls that deal with it now, out the attempts that went to
	// the log, or to the leader, and of which nobody knows yet what became.
	open, out int
	// sent: since it was begun anew some attempt went to the log.
	sent bool
	// last is what the attempt that ended last came to.
	last Became
	kept bool
	// told is its number among the last outcomes; 0 for none.
	told uint64
}

func newOutcomes() *Outcomes { return &Outcomes{requests: map[requestName]*request{}} }

// Begin says that a call deals with the request. End must follow.
func (o *Outcomes) Begin(actor, requestID string) {
	name := requestName{actor, requestID}
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.requests[name]
	if r == nil {
		r = &request{of: o, name: name}
		o.requests[name] = r
	}
	if r.open == 0 && r.out == 0 && r.last.Outcome != candor.OutcomeApplied {
		r.sent, r.last = false, Became{}
	}
	r.open++
}

// End says that the call is over, and with what: REJECTED or FAILED with the
// reason, or nothing where the attempt was done or nobody knows.
func (o *Outcomes) End(actor, requestID string, outcome candor.Outcome, reason candor.Reason) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.requests[requestName{actor, requestID}]
	if r == nil {
		return
	}
	r.open--
	became := Became{Outcome: outcome, Reason: reason}
	r.ended(became)
	o.last.tell(r, became)
}

// Find is how far the request came on this server.
func (o *Outcomes) Find(actor, requestID string) Became {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.requests[requestName{actor, requestID}]
	switch {
	case r == nil:
		return Became{}
	case r.last.Outcome == candor.OutcomeApplied:
		return r.last
	case r.sent && r.open+r.out > 0:
		return Became{Outcome: candor.OutcomeProposed}
	case r.open > 0:
		return Became{Outcome: candor.OutcomeQueued}
	default:
		return r.last
	}
}

// find is the request that a call deals with; nil where none began.
func (o *Outcomes) find(actor, requestID string) *request {
	if requestID == "" {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.requests[requestName{actor, requestID}]
}

// went says that an attempt goes to the log, or to the leader.
func (r *request) went() {
	if r == nil {
		return
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	r.out++
	r.sent = true
}

// hears says what became of an attempt that went: the turn's result, or the error
// without a turn. at is the token of what this server's view does not show yet;
// what it shows the root remembers. Of a request without an ID nothing is kept.
func (r *request) hears(at candor.Token, result *fsm.Result, err error) {
	if r == nil {
		return
	}
	became, known := becameOf(result, err)
	if !known {
		return
	}
	told := became
	if became.Outcome == candor.OutcomeApplied {
		became.Token, told.Token = at, result.Token
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	r.out--
	r.ended(became)
	r.of.last.tell(r, told)
}

func (r *request) ended(became Became) {
	if became.Outcome != "" && r.last.Outcome != candor.OutcomeApplied {
		r.last = became
	}
	switch {
	case r.open > 0:
	case r.out == 0 && (r.last.Outcome == "" || r.last.Outcome == candor.OutcomeApplied && r.last.Token.IsZero()):
		// Done, and the root remembers it.
		delete(r.of.requests, r.name)
	case !r.kept:
		r.of.keep(r)
	}
}

// keep bounds what is remembered: the oldest goes.
func (o *Outcomes) keep(r *request) {
	if old := o.kept[o.next]; old != nil {
		old.kept = false
		if old.open == 0 && o.requests[old.name] == old {
			delete(o.requests, old.name)
		}
	}
	o.kept[o.next], r.kept = r, true
	o.next = (o.next + 1) % outcomesKept
}

// becameOf says what a turn's result, or the error without a turn, means for the
// attempt; false where nobody knows.
func becameOf(result *fsm.Result, err error) (Became, bool) {
	switch reason := candor.ReasonOf(err); {
	case err == nil && result.Reason == "":
		return Became{Outcome: candor.OutcomeApplied}, true
	case err == nil:
		return Became{Outcome: candor.OutcomeFailed, Reason: result.Reason}, true
	case reason == candor.ReasonOutcomeUnknown:
		return Became{}, false
	default:
		return Became{Outcome: candor.OutcomeRejected, Reason: reason}, true
	}
}
