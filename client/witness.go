package client

import (
	"errors"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
)

// WitnessError is an answer that breaks its promise, by its own witness or by
// what this client knows. The answer is not returned, and is not asked for
// again: the node at fault must be looked at.
//
// It is the cause of the *candor.Error that the call returns, and errors.As
// finds it there. The Error's reason is HISTORY_MISMATCH where Field is
// clusterID or historyID, TOKEN_CONFLICT where it is servedRootToken, and
// INVARIANT_VIOLATED for all others.
type WitnessError struct {
	// Field of the witness, as JSON spells it; "witness" where there was none.
	Field string `json:"field"`
	// Want is what was promised, Got what the answer has; empty for absent.
	Want string `json:"want"`
	Got  string `json:"got,omitempty"`
	// Node is the name of the node that answered, its ID where it told no name,
	// or the endpoint's address where there was no witness.
	Node string `json:"node"`
	// Witness is the answer's.
	Witness candor.Witness `json:"witness"`
}

// Error says which node broke what.
func (e *WitnessError) Error() string {
	got := e.Got
	if got == "" {
		got = "absent"
	}
	return fmt.Sprintf("node %s: %s is %s; want %s", e.Node, e.Field, got, e.Want)
}

// breached is the error for the answer that w came with.
func breached(w *candor.Witness, b *freshness.BreachError) *candor.Error {
	e := witnessError(w, b)
	return &candor.Error{Reason: reasonOfBreach(b.Field), Subject: w.NodeID, Message: e.Error(), Witness: &e.Witness, Err: e}
}

func witnessError(w *candor.Witness, b *freshness.BreachError) *WitnessError {
	return &WitnessError{Field: b.Field, Want: b.Want, Got: b.Got, Node: nameOf(w), Witness: *w}
}

func reasonOfBreach(field string) candor.Reason {
	switch field {
	case "clusterID", "historyID":
		return candor.ReasonHistoryMismatch
	case "servedRootToken":
		return candor.ReasonTokenConflict
	default:
		return candor.ReasonInvariantViolated
	}
}

// unwitnessed is the error for an answer that says nothing about itself.
func unwitnessed(ep *endpoint) *candor.Error {
	e := &WitnessError{Field: "witness", Want: "one with every answer", Node: ep.addr}
	return &candor.Error{Reason: candor.ReasonInvariantViolated, Subject: ep.addr, Message: "endpoint " + ep.addr + " answered without a witness", Err: e}
}

// scrutiny is what an answer is held against, beside the node's own past.
type scrutiny struct {
	// query is nil for an answer that promises no class.
	query *freshness.Request
	// session is nil where none takes part.
	session *Session
	// duty is whose era the answer must not be below; empty for none.
	duty string
}

// examine refuses an answer that breaks its promise, and learns from any other.
func (c *Client) examine(r *request, s scrutiny, w *candor.Witness) error {
	if w == nil {
		return unwitnessed(r.endpoint)
	}
	if s.session != nil {
		if b := s.session.foreign(w); b != nil {
			return breached(w, b)
		}
	}
	if s.query != nil {
		if b := verify(s.query, w); b != nil {
			return breached(w, b)
		}
	}
	if b := r.endpoint.observe(r.before, w); b != nil {
		return breached(w, b)
	}
	if s.session != nil {
		if err := s.session.fold(w, s.duty); err != nil {
			return err
		}
	}
	c.clock.observe(w.ClusterTime)
	c.noteLeader(r.endpoint, w)
	if w.Mode != "" || w.CatchUp != "" {
		r.endpoint.near.tell(c.clock.elapsed(), rankOf(w.Mode, w.DegradedReason, w.CatchUp))
	}
	return nil
}

func verify(q *freshness.Request, w *candor.Witness) *freshness.BreachError {
	err := freshness.Verify(q, w)
	if err == nil {
		return nil
	}
	b, ok := errors.AsType[*freshness.BreachError](err)
	if !ok {
		panic("client: freshness.Verify returned " + err.Error()) // unreachable by its contract
	}
	return b
}

// ownWord is what a node's word on itself promises: that of the class that its
// witness names, if any. Nobody asked for one, so none need be echoed.
func ownWord(w *candor.Witness) *freshness.BreachError {
	if w == nil || w.Served == "" {
		return nil
	}
	answered := *w
	answered.Requested = orClass(w.Requested, w.Served)
	return verify(&freshness.Request{Class: w.Served, MaxStaleness: unbounded, FollowerReadIndex: true}, &answered)
}

func orClass(class, otherwise candor.Freshness) candor.Freshness {
	if class == "" {
		return otherwise
	}
	return class
}

// unbounded is a staleness that everything is within.
const unbounded = 1<<63 - 1

func nameOf(w *candor.Witness) string {
	if w.NodeName != "" {
		return w.NodeName
	}
	return w.NodeID
}
