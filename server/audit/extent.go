package audit

import (
	"cmp"
	"sync"
)

// extent is what of the log can be read: which files, and how far the current one
// holds whole lines. A position (file, offset) means the same for ever, whatever
// the file is called.
type extent struct {
	mu       sync.Mutex
	segments []segment // by number; the last is the current file
	length   int64     // of the current file, in whole lines
	total    uint64    // lines written by this log
	changed  chan struct{}
}

// segment is one file.
type segment struct {
	seq uint64
	// first is extent.total when the file began; 0 for files found at Open, too.
	first uint64
}

func (s segment) compare(o segment) int { return cmp.Compare(s.seq, o.seq) }

// reading is the extent at one moment.
type reading struct {
	segments []segment
	length   int64
	total    uint64
	changed  <-chan struct{} // closed at the next change
}

func (r reading) current() uint64 { return r.segments[len(r.segments)-1].seq }

func (e *extent) look() reading {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.changed == nil {
		e.changed = make(chan struct{})
	}
	return reading{
		segments: append([]segment(nil), e.segments...),
		length:   e.length, total: e.total, changed: e.changed,
	}
}

func (e *extent) currentSeq() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.segments[len(e.segments)-1].seq
}

// count is the number of files.
func (e *extent) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.segments)
}

// grow adds whole lines to the current file.
func (e *extent) grow(bytes int64, lines uint64) {
	e.change(func() {
		e.length += bytes
		e.total += lines
	})
}

// reopened sets the length of the current file. A shorter one is another file:
// somebody removed or cut the one that was there, and readers of that must not
// take its positions for this one's.
func (e *extent) reopened(length int64) {
	e.change(func() {
		if length < e.length {
			last := e.segments[len(e.segments)-1]
			e.segments = append(e.segments, segment{seq: last.seq + 1, first: e.total})
		}
		e.length = length
	})
}

// began makes seq the number of a new, empty current file.
func (e *extent) began(seq uint64) {
	e.change(func() {
		e.segments = append(e.segments, segment{seq: seq, first: e.total})
		e.length = 0
	})
}

// surplus are the numbers of the oldest files beyond keep.
func (e *extent) surplus(keep int) []uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	var seqs []uint64
	for at := range len(e.segments) - keep {
		seqs = append(seqs, e.segments[at].seq)
	}
	return seqs
}

func (e *extent) removed(seq uint64) {
	e.change(func() {
		for at, s := range e.segments {
			if s.seq == seq {
				e.segments = append(e.segments[:at], e.segments[at+1:]...)
				return
			}
		}
	})
}

func (e *extent) change(by func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	by()
	if e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
}
