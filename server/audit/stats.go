package audit

import (
	"sync/atomic"
	"time"
)

// Stats is what metrics show of the log. Counters start at 0 with the process;
// each is exact, together they are not one moment.
type Stats struct {
	Level Level

	Written   uint64 // lines, the log's own included
	Bytes     uint64
	Lost      uint64 // records that could not be written
	Omitted   uint64 // handshakes left out by the rate bound
	Refused   uint64 // calls of Reserve that got no room
	Waits     uint64 // calls of Reserve that had to wait
	Rotations uint64
	TailLost  uint64 // lines that slow tails did not get

	Depth    int // room taken, by tickets and by records that wait
	Capacity int
	Waiting  int // requests that wait for room now
	Files    int
	Tails    int

	// Failing is true from a failed write until the next that succeeds.
	Failing     bool
	LastError   string
	LastErrorAt time.Time
}

// counts are written by the writer and by callers.
type counts struct {
	written, bytes, lost, refused, rotations, tailLost atomic.Uint64
	tails                                              atomic.Int64
	failing                                            atomic.Bool
	last                                               atomic.Pointer[failure]
}

type failure struct {
	message string
	at      time.Time
}

func (c *counts) failed(err error) {
	c.last.Store(&failure{message: err.Error(), at: time.Now()})
}

// Stats reads the counters.
func (l *Log) Stats() Stats {
	s := Stats{Level: l.o.Level, Capacity: l.o.Queue}
	if l.o.Level == LevelNone {
		return s
	}
	s.Written, s.Bytes, s.Lost = l.counts.written.Load(), l.counts.bytes.Load(), l.counts.lost.Load()
	s.Refused, s.Rotations = l.counts.refused.Load(), l.counts.rotations.Load()
	s.TailLost, s.Tails = l.counts.tailLost.Load(), int(l.counts.tails.Load())
	s.Omitted = l.flood.omitted()
	s.Depth, s.Waiting, s.Waits = l.queue.load()
	s.Files = l.files.count()
	s.Failing = l.counts.failing.Load()
	if last := l.counts.last.Load(); last != nil {
		s.LastError, s.LastErrorAt = last.message, last.at
	}
	return s
}
