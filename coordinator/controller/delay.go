package controller

import (
	"container/heap"
	"hash/fnv"
	"time"

	"github.com/candor-plane/candor"
)

// alarm is when a delayed key is to be added.
type alarm struct {
	at       time.Time
	order    uint64 // of those at one time
	place    int    // in alarms
	key      *key
	priority Priority
	cause    Cause
	// gathers: it ends as soon as the key is worked on, for whatever reason.
	gathers bool
}

// alarms are a heap, the earliest first.
type alarms []*alarm

func (a alarms) Len() int { return len(a) }

func (a alarms) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].order < a[j].order
	}
	return a[i].at.Before(a[j].at)
}

func (a alarms) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].place, a[j].place = i, j
}

func (a *alarms) Push(x any) {
	added := x.(*alarm) //nolint:forcetypeassert // only addAfter pushes
	added.place = len(*a)
	*a = append(*a, added)
}

func (a *alarms) Pop() any {
	last := (*a)[len(*a)-1]
	(*a)[len(*a)-1] = nil
	*a = (*a)[:len(*a)-1]
	return last
}

func (q *Queue) addAfter(ref candor.Ref, delay time.Duration, priority Priority, cause Cause) {
	if q.shut {
		return
	}
	if delay <= 0 {
		q.add(ref, priority, cause, 0)
		return
	}
	k, at := q.key(ref), time.Now().Add(delay)
	if k.alarm != nil {
		if at.Before(k.alarm.at) {
			k.alarm.at, k.alarm.cause = at, cause
			heap.Fix(&q.delayed, k.alarm.place)
		}
		k.alarm.priority = max(k.alarm.priority, priority)
	} else {
		q.counts.delays++
		k.alarm = &alarm{at: at, order: q.counts.delays, key: k, priority: priority, cause: cause}
		heap.Push(&q.delayed, k.alarm)
	}
	q.arm()
}

// arm sets the timer to the earliest alarm.
func (q *Queue) arm() {
	if len(q.delayed) == 0 {
		return
	}
	in := time.Until(q.delayed[0].at)
	if q.timer == nil {
		q.timer = time.AfterFunc(in, q.ring)
		return
	}
	q.timer.Reset(in)
}

// ring adds what is due.
func (q *Queue) ring() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	for len(q.delayed) > 0 && !q.delayed[0].at.After(now) {
		a := heap.Pop(&q.delayed).(*alarm) //nolint:forcetypeassert // only addAfter pushes
		a.key.alarm = nil
		q.add(a.key.ref, a.priority, a.cause, 0)
	}
	q.arm()
}

// backOff is the delay after so many failures of a key.
func (s *QueueSettings) backOff(ref candor.Ref, failures int) time.Duration {
	delay := s.Max
	// Shifting further would overflow, and Max is far below.
	if shift := failures - 1; shift < 40 && s.Base<<shift>>shift == s.Base {
		delay = min(s.Max, s.Base<<shift)
	}
	if s.Seed == 0 {
		return delay
	}
	const parts = 1024
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(string(ref.Kind) + "/" + ref.Key())) // it never fails
	spread := (hash.Sum64() ^ s.Seed*0x9e3779b97f4a7c15 + uint64(failures)) % parts
	return delay + delay/4*time.Duration(spread)/parts
}
