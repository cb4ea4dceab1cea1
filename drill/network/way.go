package network

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// condition is what befalls a way.
type condition struct {
	cut   bool
	shape Shape
}

func (c condition) whole() bool { return c == condition{} }

// silent says that nothing at all arrives.
func (c condition) silent() bool { return c.cut || c.shape.Loss == 100 }

// way is one direction between two servers: its condition, its chance, what was
// counted, and what Delivers sent and waits for.
type way struct {
	Direction

	mu      sync.Mutex
	now     condition
	changed chan struct{} // closed at the next change
	random  *rand.Rand
	trials  *rand.Rand
	counts  Counters
	number  uint64
	awaited map[uint64]chan struct{}
}

func newWay(d Direction, seed uint64) *way {
	name := fnv.New64a()
	_, _ = name.Write([]byte(d.String()))
	return &way{
		Direction: d, changed: make(chan struct{}), awaited: map[uint64]chan struct{}{},
		random: rand.New(rand.NewPCG(seed, name.Sum64())), trials: rand.New(rand.NewPCG(^seed, name.Sum64())),
	}
}

// condition is that of now, until the channel is closed.
func (w *way) condition() (condition, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now, w.changed
}

func (w *way) set(c condition) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c != w.now {
		w.now = c
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

func (w *way) counters() Counters {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts
}

func (w *way) count(c Counters) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts = w.counts.plus(c)
}

// fate of one message.
type fate struct {
	lost, overtaken, twice bool
	delay                  time.Duration
}

// draw decides on a message by the condition. As much chance is drawn whatever
// that is, so that the seed says it for the nth message; what Delivers sends draws
// other chance.
func (w *way) draw(c condition, uncounted bool) fate {
	w.mu.Lock()
	defer w.mu.Unlock()
	random := w.random
	if uncounted {
		random = w.trials
	}
	percent := func(share int) bool { return random.IntN(100) < share }
	f := fate{lost: percent(c.shape.Loss) || c.cut, overtaken: percent(c.shape.Reorder), twice: percent(c.shape.Duplicate)}
	jitter := random.Float64()
	f.delay = c.shape.Delay + time.Duration(jitter*float64(c.shape.Jitter))
	if f.overtaken {
		f.delay += max(c.shape.Delay, leastOvertaken)
	}
	return f
}

// expect is a number to send and what is closed once it arrived.
func (w *way) expect() (uint64, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.number++
	arrived := make(chan struct{})
	w.awaited[w.number] = arrived
	return w.number, arrived
}

func (w *way) forget(number uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.awaited, number)
}

// arrived is told by the carrier of a number that arrived.
func (w *way) arrived(number uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.awaited[number]; c != nil {
		delete(w.awaited, number)
		close(c)
	}
}
