package replica

import (
	"math"
	"sync"
	"time"
)

// loadWindow is what "lately" means of a load: what happened so long ago counts
// for a third of what happens now.
const loadWindow = 10 * time.Second

// Load is how busy raft's threads were lately, each from 0 to 1, of this replica
// alone. Main is the part of the time in which raft's main loop waited for the
// log or the vote to be written, Apply the part in which its state machine
// thread applied entries or installed a snapshot.
type Load struct {
	Main, Apply float64
}

// load measures how much of the time one thread is at work, as a mean that
// forgets. The zero value has seen no work; one thread at a time is at work,
// anyone may ask.
type load struct {
	mu    sync.Mutex
	level float64
	busy  bool
	// at is the moment that level is of.
	at time.Time
}

// begin says that work begins; done that it has ended.
func (l *load) begin() (done func()) {
	l.turn(true)
	return l.done
}

func (l *load) done() { l.turn(false) }

func (l *load) turn(busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level, l.at = l.now()
	l.busy = busy
}

// lately is the load now; work under way counts.
func (l *load) lately() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	level, _ := l.now()
	return level
}

func (l *load) now() (float64, time.Time) {
	now := time.Now()
	if l.at.IsZero() {
		return 0, now
	}
	kept := math.Exp(-float64(now.Sub(l.at)) / float64(loadWindow))
	if l.busy {
		return 1 - (1-l.level)*kept, now
	}
	return l.level * kept, now
}
