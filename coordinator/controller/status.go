package controller

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
)

// errorsKept and blockadesShown bound a status.
const (
	errorsKept     = 16
	blockadesShown = 256
)

// Status is a runtime at one moment.
type Status struct {
	Running     bool         `json:"running"`
	Token       candor.Token `json:"token"`
	Controllers []Activity   `json:"controllers"`
}

// Activity is one controller at one moment.
type Activity struct {
	Name  string       `json:"name"`
	Queue QueueMetrics `json:"queue"`
	Counts
	// Errors are the last, oldest first.
	Errors []Failure `json:"errors,omitempty"`
	// Blocked keys, those that are so longest first; BlockedKeys is how many there are.
	Blocked     []Blockade `json:"blocked,omitempty"`
	BlockedKeys int        `json:"blockedKeys"`
}

// Counts are of one controller, since the runtime was made.
type Counts struct {
	Reconciles uint64 `json:"reconciles"`
	// NothingToDo: they wrote nothing and did not fail.
	NothingToDo uint64 `json:"nothingToDo"`
	Failures    uint64 `json:"failures"`
	Panics      uint64 `json:"panics"`
	Writes      uint64 `json:"writes"`
	// Refused writes were of undeclared outputs.
	Refused uint64 `json:"refused"`
}

// Failure is a reconcile that failed.
type Failure struct {
	Ref     candor.Ref    `json:"ref"`
	Outcome Outcome       `json:"outcome"`
	Reason  candor.Reason `json:"reason"`
	Message string        `json:"message"`
	Attempt int           `json:"attempt"`
	At      time.Time     `json:"at"`
}

// Status of the controllers, in the order in which they were given.
func (r *Runtime) Status() Status {
	s := Status{Running: r.running.Load(), Token: r.store.Read().Token(), Controllers: []Activity{}}
	for _, w := range r.controllers {
		s.Controllers = append(s.Controllers, w.status())
	}
	return s
}

func (w *worker) status() Activity {
	w.mu.Lock()
	defer w.mu.Unlock()
	blocked := slices.SortedFunc(maps.Values(w.blocked.keys), func(a, b Blockade) int {
		if order := a.Since.Compare(b.Since); order != 0 {
			return order
		}
		return compareRefs(a.Ref, b.Ref)
	})
	return Activity{
		Name: w.Name, Queue: w.queue.Metrics(), Counts: w.counts, Errors: slices.Clone(w.errors),
		Blocked: blocked[:min(len(blocked), blockadesShown)], BlockedKeys: len(blocked),
	}
}

// looked counts a reconcile and remembers it.
func (w *worker) looked(ref candor.Ref, look Look) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Reconciles++
	w.counts.Writes += uint64(look.Writes)
	failed := look.Outcome == OutcomeFailed || look.Outcome == OutcomePanicked
	if look.Writes == 0 && !failed {
		w.counts.NothingToDo++
	}
	if look.Outcome != OutcomeBlocked {
		delete(w.blocked.since, ref)
	}
	w.looks.add(ref, look)
}

func (w *worker) refused() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Refused++
}

func (w *worker) failed(ref candor.Ref, outcome Outcome, attempt int, err error) {
	f := Failure{Ref: ref, Outcome: outcome, Reason: candor.ReasonOf(err), Message: err.Error(), Attempt: attempt, At: time.Now()}
	level := w.logger.Warn
	if f.Reason == candor.ReasonConflict {
		level = w.logger.Debug // somebody was faster: the next look sees it
	}
	level("reconcile failed", "key", ref.String(), "attempt", attempt, "reason", f.Reason, "error", err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Failures++
	if outcome == OutcomePanicked {
		w.counts.Panics++
	}
	if len(w.errors) == errorsKept {
		w.errors = append(w.errors[:0], w.errors[1:]...)
	}
	w.errors = append(w.errors, f)
}

// brief is an error in a line, for a cause.
func brief(err error) string {
	message := err.Error()
	if e, ok := errors.AsType[*candor.Error](err); ok {
		message = string(e.Reason) + ": " + e.Message
	}
	message, _, _ = strings.Cut(message, "\n")
	return message
}

func compareRefs(a, b candor.Ref) int {
	if order := strings.Compare(string(a.Kind), string(b.Kind)); order != 0 {
		return order
	}
	if order := strings.Compare(a.Namespace, b.Namespace); order != 0 {
		return order
	}
	return strings.Compare(a.Name, b.Name)
}
