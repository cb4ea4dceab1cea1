package numbers

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
)

// Answer is numbers that somebody was given: Count of them, from First.
type Answer struct {
	Duty string
	// Holder gave them, as it stands in tenures.
	Holder            string
	First, Count, Era uint64
	// Began and Ended are the places of question and answer in one order, Asked and
	// Told their times.
	Began, Ended uint64
	Asked, Told  time.Time
}

// Last is the highest of the numbers.
func (a *Answer) Last() uint64 { return a.First + a.Count - 1 }

// Recorder notes answers. Any goroutine may call it.
type Recorder struct {
	next func() uint64

	mu      sync.Mutex
	answers []Answer
	refused map[candor.Reason]int
}

// NewRecorder returns one that has noted nothing.
func NewRecorder() *Recorder {
	order := new(atomic.Uint64)
	return NewRecorderIn(func() uint64 { return order.Add(1) })
}

// NewRecorderIn returns one that takes the places of questions and answers from an
// order which it shares with others: each call of next is above those before.
func NewRecorderIn(next func() uint64) *Recorder {
	return &Recorder{next: next, refused: map[candor.Reason]int{}}
}

// Ask notes what a call to a holder of a duty returns, and returns its error.
func (r *Recorder) Ask(duty, holder string, call func() (first, count, era uint64, err error)) error {
	a := Answer{Duty: duty, Holder: holder, Began: r.next(), Asked: time.Now()}
	var err error
	a.First, a.Count, a.Era, err = call()
	a.Ended, a.Told = r.next(), time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.refused[candor.ReasonOf(err)]++
		return err
	}
	r.answers = append(r.answers, a)
	return nil
}

// Answers are those so far, in the order in which they came.
func (r *Recorder) Answers() []Answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.answers)
}

// Refused counts the errors so far.
func (r *Recorder) Refused() map[candor.Reason]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.refused)
}
