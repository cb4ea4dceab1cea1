package replica

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
)

// watchdogTick is how often the watchdog looks.
const watchdogTick = 250 * time.Millisecond

// writeKind is what a write to the data disk is for. Of each kind there is one
// at a time: raft's main loop does the first two, its snapshot loop the third.
type writeKind int

const (
	writeLog writeKind = iota
	writeVote
	cutLog
	writeKinds
)

func (k writeKind) String() string {
	return [...]string{"log write", "vote write", "log truncation"}[k]
}

// inFlight knows which writes have begun and not returned.
type inFlight struct {
	slots [writeKinds]struct {
		// number is odd while a write is under way.
		number atomic.Uint64
		since  atomic.Int64
	}
	epoch time.Time
	// main is how busy raft's main loop is with them.
	main load
}

func newInFlight() *inFlight { return &inFlight{epoch: time.Now()} }

// begin notes a write; the returned function notes its end.
func (f *inFlight) begin(kind writeKind) (done func()) {
	slot := &f.slots[kind]
	slot.since.Store(int64(time.Since(f.epoch)))
	slot.number.Add(1)
	if kind == cutLog {
		return func() { slot.number.Add(1) }
	}
	written := f.main.begin()
	return func() {
		written()
		slot.number.Add(1)
	}
}

// oldest is how long the longest of the writes under way has been so; 0 when
// none is.
func (f *inFlight) oldest() time.Duration {
	var oldest time.Duration
	now := time.Since(f.epoch)
	for k := range f.slots {
		if f.slots[k].number.Load()%2 == 1 {
			oldest = max(oldest, now-time.Duration(f.slots[k].since.Load()))
		}
	}
	return oldest
}

// watchdog ends a process whose data disk hangs: raft would keep sending
// heartbeats, and nobody would elect another leader. It touches no disk, and
// counts looks instead of reading a clock: a process that was stopped and
// continued did not look meanwhile.
type watchdog struct {
	flight *inFlight
	after  time.Duration
	fatal  func(error)
}

func (w *watchdog) run(stop <-chan struct{}) {
	ticker := time.NewTicker(watchdogTick)
	defer ticker.Stop()
	var seen [writeKinds]uint64
	var looks [writeKinds]time.Duration
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		for k := range seen {
			number := w.flight.slots[k].number.Load()
			if number%2 == 0 || number != seen[k] {
				seen[k], looks[k] = number, 0
				continue
			}
			looks[k] += watchdogTick
			if looks[k] >= w.after {
				w.fatal(&candor.Error{Reason: candor.ReasonDiskFailed, Message: fmt.Sprintf(
					"the data disk hangs: a %s has not returned for %s; ending the process so that the others elect a leader", writeKind(k), w.flight.oldest().Round(time.Millisecond))})
				return
			}
		}
	}
}
