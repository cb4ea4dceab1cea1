package controller

import (
	"container/heap"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor"
)

// Priority of a key that waits. It moves up when the key is enqueued with a higher one,
// and is forgotten once the key is worked on.
type Priority int8

// The priorities.
const (
	Background Priority = iota - 1
	Normal
	Urgent
)

const priorities = int(Urgent-Background) + 1

// QueueSettings are how a queue goes about its keys. Zero fields are defaults.
type QueueSettings struct {
	// Base is the delay after the first failure of a key; each further one doubles it,
	// up to Max. Defaults 5 ms, 1 min.
	Base, Max time.Duration
	// Seed spreads the delays of different keys, up to a quarter more, always in the same
	// way for one seed; 0 spreads nothing.
	Seed uint64
	// Causes is how many of a key are kept; default 8.
	Causes int
	// Patience is how many keys of higher priority may go before one that waits; default
	// 16.
	Patience int
}

func (s QueueSettings) orDefaults() QueueSettings {
	s.Base, s.Max = orDefault(s.Base, 5*time.Millisecond), orDefault(s.Max, time.Minute)
	s.Causes, s.Patience = orDefault(s.Causes, 8), orDefault(s.Patience, 16)
	return s
}

func orDefault[T ~int | ~int64](n, otherwise T) T {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Queue holds keys that wait to be worked on, each once. A key that is added while it is
// worked on waits again as soon as that is done. Within a priority the order is first
// come, first served; a lower one is passed over for Patience turns at most. Its methods
// may be called concurrently.
type Queue struct {
	settings QueueSettings

	mu      sync.Mutex
	changed sync.Cond
	keys    map[candor.Ref]*key
	waiting [priorities]line
	passed  [priorities]int // turns that went to higher priorities while a key waited
	delayed alarms
	timer   *time.Timer
	working int
	shut    bool
	counts  queueCounts
}

// key is one that waits, is worked on, is delayed, or has failed.
type key struct {
	ref      candor.Ref
	priority Priority
	line     *line // that it waits in; nil: it does not
	next     *key
	previous *key
	working  bool
	// again: it was added while it was worked on.
	again       bool
	since       time.Time // when it was added first
	causes      []Cause
	dropped     int
	minRevision uint64
	failures    int
	alarm       *alarm // nil: it is not delayed
}

// NewQueue returns an empty queue. It has no goroutine, but until ShutDown a timer.
func NewQueue(settings QueueSettings) *Queue {
	q := &Queue{settings: settings.orDefaults(), keys: map[candor.Ref]*key{}}
	q.changed.L = &q.mu
	return q
}

// Add enqueues a key, with what led to it and a revision that must be seen when it is
// worked on. What was there already of a key that waits is kept. After ShutDown it does
// nothing.
func (q *Queue) Add(ref candor.Ref, priority Priority, cause Cause, minRevision uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.shut {
		q.add(ref, priority, cause, minRevision)
	}
}

// AddAfter adds a key after a delay; the earliest of several counts. A delay of 0 or
// less is none.
func (q *Queue) AddAfter(ref candor.Ref, delay time.Duration, priority Priority, cause Cause) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.addAfter(ref, delay, priority, cause)
}

// AddGathered is Add for a key that may wait so long for more to come: it is added after
// that, with all causes and the newest revision. A key that waits already goes on
// waiting where it is, and what else adds it ends the gathering.
func (q *Queue) AddGathered(ref candor.Ref, gather time.Duration, priority Priority, cause Cause, minRevision uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shut {
		return
	}
	k := q.key(ref)
	if gather <= 0 || k.line != nil || k.again {
		q.add(ref, priority, cause, minRevision)
		return
	}
	k.note(cause, q.settings.Causes)
	k.minRevision = max(k.minRevision, minRevision)
	if k.alarm != nil {
		q.counts.adds++
		q.counts.merged++
	}
	q.addAfter(ref, gather, priority, Cause{})
	if k.alarm.cause == (Cause{}) {
		k.alarm.gathers = true // it is new, or was to ring later
	}
}

// Retry adds a key that failed once more, after its back-off or atLeast, and returns how
// long that is.
func (q *Queue) Retry(ref candor.Ref, atLeast time.Duration, priority Priority, cause Cause) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	k := q.key(ref)
	k.failures++
	q.counts.retries++
	delay := max(atLeast, q.settings.backOff(ref, k.failures))
	q.addAfter(ref, delay, priority, cause)
	q.settle(k)
	return delay
}

// Forget ends a key's back-off: the next failure is its first.
func (q *Queue) Forget(ref candor.Ref) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if k := q.keys[ref]; k != nil {
		k.failures = 0
		q.settle(k)
	}
}

// Failures is how often a key failed since Forget.
func (q *Queue) Failures(ref candor.Ref) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if k := q.keys[ref]; k != nil {
		return k.failures
	}
	return 0
}

// Get waits for a key and hands it out; Done is to follow. It returns false once the
// queue was shut down and nothing waits.
func (q *Queue) Get() (Request, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if k := q.pick(); k != nil {
			return q.take(k), true
		}
		if q.shut {
			return Request{}, false
		}
		q.changed.Wait()
	}
}

// Done says that a key is not worked on any more. It waits again if it was added
// meanwhile, also after ShutDown.
func (q *Queue) Done(ref candor.Ref) {
	q.mu.Lock()
	defer q.mu.Unlock()
	k := q.keys[ref]
	if k == nil || !k.working {
		return
	}
	k.working = false
	q.working--
	if k.again {
		k.again = false
		q.enqueue(k)
	}
	q.settle(k)
	q.changed.Broadcast()
}

// ShutDown ends adding, and drops what is delayed; what waits is still handed out.
func (q *Queue) ShutDown() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shutDown()
}

// Drain shuts the queue down and returns once nothing waits and nothing is worked on.
func (q *Queue) Drain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shutDown()
	for q.working > 0 || q.depth() > 0 {
		q.changed.Wait()
	}
}

func (q *Queue) shutDown() {
	q.shut = true
	if q.timer != nil {
		q.timer.Stop()
	}
	for _, a := range q.delayed {
		a.key.alarm = nil
		q.settle(a.key)
	}
	q.delayed = nil
	q.changed.Broadcast()
}

func (q *Queue) key(ref candor.Ref) *key {
	k := q.keys[ref]
	if k == nil {
		k = &key{ref: ref}
		q.keys[ref] = k
	}
	return k
}

// settle drops a key that there is nothing to know about.
func (q *Queue) settle(k *key) {
	if k.line == nil && !k.working && !k.again && k.failures == 0 && k.alarm == nil {
		delete(q.keys, k.ref)
	}
}

func (q *Queue) add(ref candor.Ref, priority Priority, cause Cause, minRevision uint64) {
	k := q.key(ref)
	q.counts.adds++
	fresh := k.line == nil && !k.again
	if fresh {
		k.since, k.priority = time.Now(), priority
	} else {
		q.counts.merged++
	}
	k.note(cause, q.settings.Causes)
	k.minRevision = max(k.minRevision, minRevision)
	switch {
	case fresh && k.working:
		k.again = true
	case fresh:
		q.enqueue(k)
		q.changed.Signal()
	case priority > k.priority:
		q.raise(k, priority)
	}
}

// raise moves a key that waits to the end of a better line.
func (q *Queue) raise(k *key, priority Priority) {
	k.priority = priority
	if k.line != nil {
		k.line.remove(k)
		q.enqueue(k)
	}
}

func (q *Queue) enqueue(k *key) { q.waiting[k.priority-Background].push(k) }

// note keeps the newest causes; none is nothing to keep.
func (k *key) note(cause Cause, keep int) {
	if cause == (Cause{}) || slices.Contains(k.causes, cause) {
		return
	}
	if len(k.causes) == keep {
		k.dropped++
		copy(k.causes, k.causes[1:])
		k.causes[keep-1] = cause
		return
	}
	k.causes = append(k.causes, cause)
}

// pick is the key whose turn it is, or nil.
func (q *Queue) pick() *key {
	turn := -1
	for p := priorities - 1; p >= 0; p-- {
		if q.waiting[p].first == nil {
			q.passed[p] = 0
			continue
		}
		if turn < 0 || q.passed[p] >= q.settings.Patience {
			turn = p
		}
	}
	if turn < 0 {
		return nil
	}
	for p := range turn {
		if q.waiting[p].first != nil {
			q.passed[p]++
		}
	}
	q.passed[turn] = 0
	return q.waiting[turn].first
}

func (q *Queue) take(k *key) Request {
	k.line.remove(k)
	if k.alarm != nil && k.alarm.gathers {
		heap.Remove(&q.delayed, k.alarm.place)
		k.alarm = nil
		q.counts.adds++
		q.counts.merged++
	}
	k.working = true
	q.working++
	q.counts.taken++
	r := Request{Ref: k.ref, Causes: k.causes, Dropped: k.dropped, MinRevision: k.minRevision, Attempt: k.failures}
	k.causes, k.dropped, k.minRevision = nil, 0, 0
	return r
}
