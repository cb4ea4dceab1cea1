package audit

import (
	"errors"
	"fmt"
	"time"

	candor "github.com/candor-plane/candor"
)

// maxWrite bounds the lines of one write.
const maxWrite = 1 << 20

// writer is the one goroutine that writes: it takes what waits, makes lines of
// it, and writes them at once.
type writer struct {
	identity
	queue    *queue
	files    *files
	flood    *flood
	counts   *counts
	reporter *reporter
	o        Options

	gap      outage
	sequence uint64 // of the last line written, or record lost
	records  []Record
	spare    []Record
	lines    []byte
	waiting  uint64    // lines in lines
	dirty    time.Time // since when lines wait for fsync; zero for none
}

// run ends, with everything written that can be, once stop is closed.
func (w *writer) run(stop <-chan struct{}) {
	timer := time.NewTimer(0) // the first turn tells of a torn line
	defer timer.Stop()
	for {
		select {
		case <-w.queue.wake:
		case <-timer.C:
		case <-stop:
			w.finish()
			return
		}
		now := time.Now()
		w.turn(now, false)
		if at := w.next(); !at.IsZero() {
			timer.Reset(max(0, at.Sub(now)))
		}
	}
}

// turn writes what waits. last does not wait for the back-off, says every
// summary, and syncs.
func (w *writer) turn(now time.Time, last bool) {
	w.collect()
	if w.gap.resting(now) && !last {
		w.keepOrLose(now)
		return
	}
	if err := w.write(now, last); err != nil {
		w.failed(now, err)
		return
	}
	if w.gap.failing {
		w.recovered()
	}
}

// next is when there is something to do without being woken; zero for never.
func (w *writer) next() time.Time {
	if w.gap.failing {
		return w.gap.retry
	}
	var at time.Time
	earlier := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if !w.dirty.IsZero() {
		earlier(w.dirty.Add(w.o.SyncInterval))
	}
	if left := w.flood.pending(); left.count > 0 {
		earlier(w.summaryDue(left))
	}
	return at
}

// summaryDue: the first handshakes left out are told of after an interval, so
// that a flood makes one line in each.
func (w *writer) summaryDue(left omission) time.Time { return left.since.Add(w.o.SummaryInterval) }

// collect takes what waits behind what is kept from earlier turns.
func (w *writer) collect() {
	if len(w.records) == 0 {
		w.records = w.queue.take(w.records[:0])
		return
	}
	taken := w.queue.take(w.spare[:0])
	w.records = append(w.records, taken...)
	clear(taken)
	w.spare = taken
}

// settle forgets the first n records, which are written or lost, and gives their
// room back.
func (w *writer) settle(n int) {
	if n == 0 {
		return
	}
	rest := copy(w.records, w.records[n:])
	clear(w.records[rest:])
	w.records = w.records[:rest]
	w.queue.release(n)
}

// write makes lines of the log's own records and of those that wait. Whatever it
// returns, what is in the file is settled and what is not is as before.
func (w *writer) write(now time.Time, last bool) error {
	if err := w.files.ready(); err != nil {
		return err
	}
	own := w.own(now, last)
	base, written := w.sequence, 0
	err := w.writeAll(own, &written)
	w.sequence = base + uint64(written)
	w.counts.written.Add(uint64(written))
	for at := range min(written, len(own)) {
		own[at].done()
	}
	w.settle(max(0, written-len(own)))
	if err != nil {
		return err
	}
	// An outage ends with lines that are on the disk.
	return w.sync(now, last || w.gap.failing)
}

func (w *writer) writeAll(own []note, written *int) error {
	w.lines, w.waiting = w.lines[:0], 0
	for at := range own {
		if err := w.line(&own[at].record, written); err != nil {
			return err
		}
	}
	for at := range w.records {
		if err := w.line(&w.records[at], written); err != nil {
			return err
		}
	}
	return w.flush(written)
}

// line adds a line, after writing the others if it does not fit with them.
func (w *writer) line(r *Record, written *int) error {
	start := len(w.lines)
	sequence := w.sequence + 1
	w.lines = w.appendLine(w.lines, r, sequence)
	full := !w.files.fits(len(w.lines))
	if start > 0 && (full || len(w.lines) > maxWrite) {
		// The line stays behind while those before it are written.
		line := append([]byte(nil), w.lines[start:]...)
		w.lines = w.lines[:start]
		if err := w.flush(written); err != nil {
			return err
		}
		w.lines = append(w.lines, line...)
	}
	// An empty file takes a line of any length.
	if w.waiting == 0 && w.files.size > 0 && !w.files.fits(len(w.lines)) {
		if err := w.rotate(); err != nil {
			return err
		}
	}
	w.sequence = sequence
	w.waiting++
	return nil
}

func (w *writer) flush(written *int) error {
	if w.waiting == 0 {
		return nil
	}
	before := w.files.size
	n, err := w.files.append(w.lines, w.waiting)
	*written += int(n)
	w.counts.bytes.Add(uint64(w.files.size - before))
	w.lines, w.waiting = w.lines[:0], 0
	return err
}

func (w *writer) rotate() error {
	stuck, err := w.files.rotate()
	if err != nil {
		return err
	}
	w.dirty = time.Time{}
	w.counts.rotations.Add(1)
	if stuck != nil {
		w.counts.failed(stuck)
		w.reporter.stuck(stuck)
	}
	return nil
}

func (w *writer) sync(now time.Time, atOnce bool) error {
	if w.files.unsynced == 0 {
		w.dirty = time.Time{}
		return nil
	}
	if w.dirty.IsZero() {
		w.dirty = now
	}
	if !atOnce && w.o.Sync == SyncInterval && now.Before(w.dirty.Add(w.o.SyncInterval)) {
		return nil
	}
	if err := w.files.sync(); err != nil {
		return err
	}
	w.dirty = time.Time{}
	return nil
}

// failed begins or prolongs an outage.
func (w *writer) failed(now time.Time, err error) {
	err = errors.Join(err, w.files.abandon())
	if _, ok := errors.AsType[*syncError](err); ok {
		w.gap.unsynced += w.files.unsynced
		w.files.unsynced, w.dirty = 0, time.Time{}
	}
	w.counts.failed(err)
	w.counts.failing.Store(true)
	w.gap.failed(now)
	w.keepOrLose(now)
	if w.o.Required {
		w.queue.refuse(candor.Errorf(candor.ReasonDiskPressure,
			"this server does nothing that it cannot record, and its audit log cannot be written: %w", err))
	}
	w.reporter.failing(now, w.gap.lost, err)
}

// keepOrLose: a log that is required keeps what it cannot write, within the room
// that it has; any other gives the room back.
func (w *writer) keepOrLose(now time.Time) {
	if w.o.Required {
		return
	}
	w.lose(now)
}

func (w *writer) lose(now time.Time) {
	n := len(w.records)
	if n == 0 {
		return
	}
	since := w.records[0].Time
	if since.IsZero() {
		since = now
	}
	w.gap.lose(uint64(n), since)
	w.sequence += uint64(n)
	w.counts.lost.Add(uint64(n))
	w.settle(n)
}

func (w *writer) recovered() {
	w.gap.recovered()
	w.counts.failing.Store(false)
	w.queue.refuse(nil)
	w.reporter.recovered()
}

// finish writes what can be written now and loses the rest. Tickets that are
// committed later find the queue sealed.
func (w *writer) finish() {
	w.turn(time.Now(), true)
	w.collect()
	w.records = append(w.records, w.queue.seal()...)
	if len(w.records) > 0 && !w.gap.failing {
		w.turn(time.Now(), true)
	}
	w.lose(time.Now())
	if err := w.files.close(); err != nil {
		w.counts.failed(err)
	}
}

// note is one of the log's own records, and what is done once it is written.
type note struct {
	record Record
	done   func()
}

// own are the records that go before all that wait.
func (w *writer) own(now time.Time, last bool) []note {
	var notes []note
	if torn := w.gap.torn; torn > 0 {
		notes = append(notes, note{
			record: Record{
				Time: now, Verdict: Lost, own: own{count: 1},
				Message: fmt.Sprintf("the last line had no end, as a crash or a full disk leaves it; its %d bytes were removed", torn),
			},
			done: func() { w.gap.torn = 0 },
		})
	}
	if w.gap.told() {
		notes = append(notes, note{record: w.gap.record(now), done: w.gap.written})
	}
	left := w.flood.pending()
	if left.count > 0 && (last || !now.Before(w.summaryDue(left))) {
		notes = append(notes, note{
			record: Record{
				Time: now, Verdict: Omitted, Source: left.source, Method: left.method,
				Message: "handshakes above the rate bound were not recorded one by one; source and method are the latest",
				own:     own{count: left.count, since: left.since},
			},
			done: func() { w.flood.told(left, now) },
		})
	}
	return notes
}
