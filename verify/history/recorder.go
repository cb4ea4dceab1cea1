package history

import (
	"sync"
	"time"

	"github.com/candor-plane/candor"
)

// Recorder records operations as they happen. It may be used concurrently.
//
// Times are taken outside of what they measure: the invocation before the call
// can have any effect, the return after the answer has come. Events are also
// numbered in their order, so that a history of virtual time, in which much
// happens at one moment, says as much as one of real time.
type Recorder struct {
	mu    sync.Mutex
	began time.Time
	seq   uint64
	calls []*Call
}

// NewRecorder starts a recording.
func NewRecorder() *Recorder { return &Recorder{began: time.Now()} }

// Call is one operation under way. Exactly one of its methods is called, once.
type Call struct {
	recorder  *Recorder
	operation Operation
	ended     bool
}

// Answer is what an operation was answered.
type Answer struct {
	// Items replace those that the call began with; nil keeps them.
	Items []Item
	Scope string
	// Token is what an acknowledged write reached; that of a read is its witness'.
	Token     candor.Token
	At        uint64
	Unchanged bool
	Witness   candor.Witness
}

// Begin records an invocation: client, kind, items (of a read the keys alone)
// and the contract asked for. What is only known at the end is ignored.
func (r *Recorder) Begin(o Operation) *Call {
	c := &Call{recorder: r, operation: Operation{
		Client: o.Client, Kind: o.Kind, Items: o.Items, Asked: o.Asked, Sessionless: o.Sessionless,
	}}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.operation.Invoke, c.operation.InvokeSeq = r.stamp()
	r.calls = append(r.calls, c)
	return c
}

// Answered records the answer of a read or the acknowledgement of a write.
func (c *Call) Answered(a Answer) {
	c.end(func(o *Operation) {
		o.Outcome, o.At, o.Unchanged, o.Witness, o.Scope = OutcomeOK, a.At, a.Unchanged, &a.Witness, a.Scope
		o.Token = a.Token
		if o.Kind.Reads() {
			o.Token = a.Witness.ServedToken
		}
		if a.Items != nil {
			o.Items = a.Items
		}
	})
}

// Failed records an error: by its reason the operation was surely not done, or
// nobody knows. It belongs after every attempt has been made.
func (c *Call) Failed(err error) {
	c.end(func(o *Operation) {
		o.Outcome, o.Reason, o.Message = OutcomeFailed, candor.ReasonOf(err), err.Error()
		if w := witnessOf(err); w != nil {
			o.Witness = w
		}
		if !o.Kind.Reads() && !surelyNot(o.Reason) {
			o.Outcome = OutcomeUnknown
		}
	})
}

func (c *Call) end(with func(*Operation)) {
	r := c.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.ended {
		panic("history: a call ended twice")
	}
	c.operation.Return, c.operation.ReturnSeq = r.stamp()
	c.ended = true
	with(&c.operation)
}

// stamp is the next event. Under the lock, so that clock and numbers agree.
func (r *Recorder) stamp() (int64, uint64) {
	r.seq++
	return time.Since(r.began).Nanoseconds(), r.seq
}

// Len is the number of operations that have ended.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.calls {
		if c.ended {
			n++
		}
	}
	return n
}

// History is what was recorded so far; recording may go on. A write that has no
// answer yet may happen at any later time, and a read that has none is refused
// as CANCELED. The error, of reason INVALID, names an operation that was
// recorded wrongly.
func (r *Recorder) History() (*History, error) {
	r.mu.Lock()
	operations := make([]Operation, 0, len(r.calls))
	for _, c := range r.calls {
		o := c.operation
		if !c.ended {
			o.Return, o.ReturnSeq = r.stamp()
			o.Outcome, o.Reason, o.Message = OutcomeUnknown, candor.ReasonOutcomeUnknown, "the recording ended first"
			if o.Kind.Reads() {
				o.Outcome, o.Reason = OutcomeFailed, candor.ReasonCanceled
			}
		}
		operations = append(operations, o)
	}
	r.mu.Unlock()
	return New(operations)
}
