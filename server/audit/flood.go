package audit

import (
	"sync"
	"time"
)

// flood bounds the records of handshakes by a bucket that fills at rate, and
// remembers what was left out.
type flood struct {
	rate int

	mu     sync.Mutex
	tokens time.Duration // credit; a record costs a second divided by rate
	filled time.Time
	left   omission
	total  uint64
}

// omission is what was left out since the last summary.
type omission struct {
	count  uint64
	since  time.Time
	source string // the latest
	method string // the latest
}

func newFlood(rate int) *flood { return &flood{rate: rate, tokens: time.Second} }

// admit says whether one more may be recorded now.
func (f *flood) admit(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.filled.IsZero() {
		f.tokens = min(time.Second, f.tokens+max(0, now.Sub(f.filled)))
	}
	f.filled = now
	cost := time.Second / time.Duration(f.rate)
	if f.tokens < cost {
		return false
	}
	f.tokens -= cost
	return true
}

// omit counts one that was left out; it is true for the first since a summary.
func (f *flood) omit(r *Record) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total++
	f.left.count++
	f.left.source, f.left.method = r.Source, r.Method
	if f.left.count > 1 {
		return false
	}
	f.left.since = r.Time
	return true
}

// pending is what no summary has said yet.
func (f *flood) pending() omission {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left
}

// told takes what a summary said off; since is when the rest may have begun.
func (f *flood) told(o omission, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left.count -= o.count
	f.left.since = since
}

func (f *flood) omitted() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total
}
