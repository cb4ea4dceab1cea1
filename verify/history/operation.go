package history

import (
	"time"

	"github.com/candor-plane/candor"
)

// Kind is what an operation asks for.
type Kind string

// The kinds of operations. PUT writes whether or not the key is there; CREATE
// wants it absent, UPDATE and DELETE want it present. TXN writes its items in
// one turn.
const (
	KindGet    Kind = "GET"
	KindList   Kind = "LIST"
	KindCreate Kind = "CREATE"
	KindUpdate Kind = "UPDATE"
	KindPut    Kind = "PUT"
	KindDelete Kind = "DELETE"
	KindTxn    Kind = "TXN"
)

// Reads says whether the kind asks and changes nothing.
func (k Kind) Reads() bool { return k == KindGet || k == KindList }

// Outcome is what the caller knows of an operation.
type Outcome string

// The outcomes. OutcomeFailed says "surely not done". A write of outcome
// UNKNOWN may have happened at any time after its invocation, once, or never.
const (
	OutcomeOK      Outcome = "OK"
	OutcomeFailed  Outcome = "FAILED"
	OutcomeUnknown Outcome = "UNKNOWN"
)

// Operation is one call as its caller saw it. All calls with one request ID are
// one operation, from the first invocation to the first acknowledgement.
type Operation struct {
	// Client is the session that called. Operations of one client may overlap.
	Client string `json:"client"`
	Kind   Kind   `json:"kind"`
	// Items are what was read or written, each key once. An answered read of
	// nothing has an item that is Absent.
	Items []Item `json:"items,omitempty"`
	// Scope is the prefix of keys that an answered LIST is complete for; empty
	// for one that is not (a page, a selector).
	Scope string `json:"scope,omitempty"`
	// Asked is the contract of a read; nil asks for STRONG and no more.
	Asked *Asked `json:"asked,omitempty"`
	// Sessionless operations take no part in their client's session.
	Sessionless bool `json:"sessionless,omitempty"`

	Outcome Outcome `json:"outcome"`
	// Reason and Message are of the error, if there was one.
	Reason  candor.Reason `json:"reason,omitempty"`
	Message string        `json:"message,omitempty"`

	// Invoke and Return are nanoseconds on the recording process' monotonic
	// clock. The sequence numbers order events that the clock does not tell
	// apart; a history has them in every operation or in none.
	Invoke    int64  `json:"invoke"`
	Return    int64  `json:"return"`
	InvokeSeq uint64 `json:"invokeSeq,omitempty"`
	ReturnSeq uint64 `json:"returnSeq,omitempty"`

	// Token is the position that was served, or that an acknowledged write
	// reached; zero where the system tells none.
	Token candor.Token `json:"token,omitzero"`
	// At is the revision that the answer is of, where that is not Token's: a
	// read of an older state, or a later page of a list.
	At uint64 `json:"at,omitempty"`
	// Unchanged: an acknowledged write that found everything as it wanted it,
	// and made no revision.
	Unchanged bool `json:"unchanged,omitempty"`
	// Witness is what the answer, or the refusal, said about itself.
	Witness *candor.Witness `json:"witness,omitempty"`
}

// Item is one key and what was read or written there.
type Item struct {
	Key string `json:"key"`
	// Value is the value, or a digest of it. Checks are as sharp as values are
	// different: a write whose value was written before can hide behind it.
	Value string `json:"value,omitempty"`
	// Version is the revision of the turn that made what was read; 0 where the
	// system does not tell.
	Version uint64 `json:"version,omitempty"`
	// Absent: nothing was there, or the write left nothing there.
	Absent bool `json:"absent,omitempty"`
	// Going: the write left something that will change and vanish without
	// another recorded write, such as an object that waits for its finalizers. A
	// DELETE of unknown outcome says so where it may have left that.
	Going bool `json:"going,omitempty"`
}

// ends says whether a write may have taken away what was there.
func (i *Item) ends() bool { return i.Absent || i.Going }

// Asked is the contract that a read asked for.
type Asked struct {
	// Freshness; empty is STRONG.
	Freshness candor.Freshness `json:"freshness,omitempty"`
	// MaxStaleness of a BOUNDED read; nil is the default of the protocol.
	MaxStaleness *time.Duration `json:"maxStaleness,omitempty"`
	// MaxLag in log entries; nil asks for none.
	MaxLag *uint64 `json:"maxLag,omitempty"`
	// Required is a token that the answer had to cover; zero for none.
	Required candor.Token `json:"required,omitzero"`
}

// DefaultStaleness is the bound of a BOUNDED read that names none
// (docs/protocol.md, section 3).
const DefaultStaleness = time.Second

// Freshness is the class that a read asked for; empty for a write.
func (o *Operation) Freshness() candor.Freshness {
	switch {
	case !o.Kind.Reads():
		return ""
	case o.Asked == nil || o.Asked.Freshness == "":
		return candor.FreshnessStrong
	default:
		return o.Asked.Freshness
	}
}

// strict says whether the operation is bound to real time: a write, or a
// STRONG read.
func (o *Operation) strict() bool {
	return !o.Kind.Reads() || o.Freshness() == candor.FreshnessStrong
}

// turned says whether the operation is known to have made a revision.
func (o *Operation) turned() bool {
	return o.Outcome == OutcomeOK && !o.Kind.Reads() && !o.Unchanged
}

// answered says whether there is an answer at a known position.
func (o *Operation) answered() bool { return o.Outcome == OutcomeOK && o.Token.Revision != 0 }

// at is the revision that an answered read is of.
func (o *Operation) at() uint64 {
	if o.At != 0 {
		return o.At
	}
	return o.Token.Revision
}

// bound is the staleness that a BOUNDED read allowed.
func (o *Operation) bound() time.Duration {
	if o.Asked == nil || o.Asked.MaxStaleness == nil {
		return DefaultStaleness
	}
	return *o.Asked.MaxStaleness
}

// moment is one event of the recording process.
type moment struct {
	at  int64
	seq uint64
}

func (o *Operation) invoked() moment  { return moment{o.Invoke, o.InvokeSeq} }
func (o *Operation) returned() moment { return moment{o.Return, o.ReturnSeq} }

// before is strict: events that the record does not tell apart are in no order.
func (m moment) before(other moment) bool {
	if m.at != other.at {
		return m.at < other.at
	}
	return m.seq < other.seq
}

func (m moment) compare(other moment) int {
	switch {
	case m.before(other):
		return -1
	case other.before(m):
		return 1
	default:
		return 0
	}
}

// precedes says whether o had returned when other was invoked.
func (o *Operation) precedes(other *Operation) bool { return o.returned().before(other.invoked()) }
