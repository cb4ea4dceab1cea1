package grpcapi

import (
	"errors"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
)

// minLapse is how often at most a bounded stream's bound is looked at.
const minLapse = 50 * time.Millisecond

// lapses ticks for a bounded stream, often enough that it does not outlive its
// bound by much; for others it is nil.
func (w *watch) lapses() (ticks <-chan time.Time, stop func()) {
	if w.bound() == 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(max(minLapse, w.bound()/4))
	return ticker.C, ticker.Stop
}

// bound is the staleness that a bounded stream allows; 0 for other classes.
func (w *watch) bound() time.Duration {
	q := readRequest(w.in.GetRead())
	if q.Freshness != candor.FreshnessBounded {
		return 0
	}
	if q.MaxStaleness == nil {
		return freshness.DefaultMaxStaleness
	}
	return *q.MaxStaleness
}

// renew ends a bounded stream whose bound has lapsed and cannot be had again.
func (w *watch) renew() error {
	if w.service.reader.Within(w.bound()) {
		return nil
	}
	_, _, err := w.service.view(w.stream.Context(), w.in.GetRead())
	return w.lapsed(err)
}

// told passes a change of the node's condition on, in a bookmark; the stream's
// class decides whether it goes on.
func (w *watch) told(now []NodeCondition) error {
	if err := quarantined(now); err != nil {
		return err
	}
	return w.bookmark()
}

// quarantined ends every stream of a node that came into quarantine, and those
// that begin there: what such a stream shows may be wrong, and a repair takes it
// back without an event.
func quarantined(now []NodeCondition) error {
	for i := range now {
		if now[i].Quarantined {
			return &candor.Error{Reason: candor.ReasonViewOnly, Message: "this node is quarantined: resume on another one"}
		}
	}
	return nil
}

// lapsed names the end of a bounded stream whose start was served: whatever the
// node lacks now, what the stream was promised is over.
func (w *watch) lapsed(err error) error {
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || e.Reason != candor.ReasonRootUnavailable {
		return err
	}
	lapsed := *e
	lapsed.Reason = candor.ReasonStalenessExceeded
	return &lapsed
}
