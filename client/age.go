package client

import (
	"time"

	"github.com/candor-plane/candor"
)

// Age is how old an answer may be, seen from here, with no clock compared to
// another machine's. WithAge has a read set it, one that finds nothing
// (NOT_FOUND) included; before that, and after a read that failed or whose answer
// proves nothing, it is not known. It belongs to one goroutine.
type Age struct {
	sent  time.Time
	bound time.Duration
	known bool
}

// Before is a moment on this process's clock: everything that was acknowledged
// before it, to anyone, is in the answer. For an AUTHORITATIVE answer it is when
// the request was sent, for another one the witness's staleness bound earlier:
// the node took its view after the request was sent, and its bound counts back
// from there. It is false when the answer proves nothing.
func (a *Age) Before() (time.Time, bool) { return a.sent.Add(-a.bound), a.known }

// Now is how old the answer may be by now: the staleness bound and the time
// since the request was sent, the way back and the caller's own delay included.
// Time in which the machine was suspended is counted by the wall clock. It is
// false when the answer proves nothing.
func (a *Age) Now() (time.Duration, bool) {
	if !a.known {
		return 0, false
	}
	// Go's monotonic clock stands still while the machine is suspended.
	running, wall := time.Since(a.sent), time.Now().Round(0).Sub(a.sent.Round(0))
	return a.bound + max(running, wall), true
}

// set takes the measure of an answer that was checked.
func (a *Age) set(sent time.Time, w *candor.Witness) {
	*a = Age{sent: sent}
	switch {
	case w.Class == candor.ServingAuthoritative:
		a.known = true
	case w.StalenessBound != nil:
		a.bound, a.known = *w.StalenessBound, true
	}
}
