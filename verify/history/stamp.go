package history

import "time"

// Stamp is a moment of a recording: nanoseconds on the recording process' monotonic
// clock, and the number of the event, which tells apart what the clock does not.
// The zero Stamp is no moment.
type Stamp struct {
	At  int64  `json:"at"`
	Seq uint64 `json:"seq,omitempty"`
}

// Before is strict: moments that the record does not tell apart are in no order.
func (s Stamp) Before(other Stamp) bool { return s.moment().before(other.moment()) }

// Compare is negative, zero or positive, as in package cmp.
func (s Stamp) Compare(other Stamp) int { return s.moment().compare(other.moment()) }

// IsZero says whether the stamp is of no moment.
func (s Stamp) IsZero() bool { return s == Stamp{} }

// String is the time since the recording began.
func (s Stamp) String() string { return clockTime(s.At) }

// Stamp takes the next moment of the recording, in one order with the invocations
// and returns of all its operations: other records of the same run are stamped by it.
func (r *Recorder) Stamp() Stamp {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, seq := r.stamp()
	return Stamp{At: at, Seq: seq}
}

// Began is when the recording began: the moment 0 of its stamps.
func (r *Recorder) Began() time.Time { return r.began }

// Invoked is when the operation was called.
func (o *Operation) Invoked() Stamp { return Stamp{o.Invoke, o.InvokeSeq} }

// Returned is when it was answered, or given up.
func (o *Operation) Returned() Stamp { return Stamp{o.Return, o.ReturnSeq} }

func (s Stamp) moment() moment { return moment{s.At, s.Seq} }
