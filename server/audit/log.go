package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	candor "github.com/candor-plane/candor"
)

// Log is the audit log of one node. Every method may be called concurrently.
type Log struct {
	o        Options
	identity identity
	queue    *queue
	files    *files
	flood    *flood
	counts   *counts
	own      *Directory // the file system, if this log opened it

	stop     chan struct{} // ends the writer
	written  chan struct{} // the writer has ended
	hush     chan struct{} // ends the reporter
	reported chan struct{} // the reporter has ended

	closing  sync.Once
	closeErr error
}

// Open opens the log, repairs what a crash left, and starts its writer; the
// owner calls Close. Errors have reason INVALID for the options and
// DISK_PRESSURE for the files.
func Open(o Options) (*Log, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	l := &Log{
		o: o, identity: identity{o.Node, o.NodeID, o.BootID},
		counts: &counts{},
		stop:   make(chan struct{}), written: make(chan struct{}),
		hush: make(chan struct{}), reported: make(chan struct{}),
	}
	if o.Level == LevelNone {
		close(l.written)
		close(l.reported)
		return l, nil
	}
	if o.FS == nil {
		if l.own, err = OpenDirectory(o.Dir); err != nil {
			return nil, err
		}
		o.FS = l.own
	}
	if l.files, err = openFiles(o.FS, o.MaxFileBytes, o.MaxFiles); err != nil {
		return nil, errors.Join(diskError("open", err), l.release())
	}
	l.queue, l.flood = newQueue(o.Queue), newFlood(o.HandshakesPerSecond)
	r := newReporter(o.Logger)
	w := &writer{
		identity: l.identity, queue: l.queue, files: l.files, flood: l.flood, counts: l.counts,
		reporter: r, o: o, gap: outage{torn: l.files.torn},
	}
	go func() {
		defer close(l.reported)
		r.run(l.hush)
	}()
	go func() {
		defer close(l.written)
		w.run(l.stop)
	}()
	return l, nil
}

// Wants says whether a record of that class and verdict is to be made: ask before
// any other work. Of one that is not wanted nothing is reserved or committed.
func (l *Log) Wants(c Class, v Verdict) bool { return l.o.Level.Wants(c, v) }

// Reserve takes room for one record. A request calls it before it acts, one that
// is denied before it answers; it waits while there is no room, until ctx ends.
// Errors have reason QUEUE_SATURATED, DISK_PRESSURE (Options.Required, and
// records cannot be written) or SHUTTING_DOWN.
//
// Each ticket must be committed or dropped, or its room is gone for good:
//
//	ticket, err := log.Reserve(ctx)
//	if err != nil { … }
//	defer ticket.Drop() // nothing after Commit
func (l *Log) Reserve(ctx context.Context) (Ticket, error) {
	if l.o.Level == LevelNone {
		return Ticket{}, nil
	}
	if err := l.queue.reserve(ctx); err != nil {
		l.counts.refused.Add(1)
		return Ticket{}, candor.Wrap("audit", err)
	}
	return Ticket{log: l}, nil
}

// Ticket is room for one record. It has one owner and is not copied after its
// first use. The zero Ticket is no room, and its methods do nothing: it stands
// for an event that is not wanted.
type Ticket struct{ log *Log }

// Commit hands the record to the writer. It never waits. A record that comes
// after Close gave up waiting for its ticket is counted as lost.
func (t *Ticket) Commit(r Record) {
	l := t.log
	if l == nil {
		return
	}
	t.log = nil
	r.complete()
	if !l.queue.commit(&r) {
		l.counts.lost.Add(1)
	}
}

// Drop gives the room back, unless the ticket was committed or dropped before.
func (t *Ticket) Drop() {
	l := t.log
	if l == nil {
		return
	}
	t.log = nil
	l.queue.drop()
}

// Handshake records what happened before there was a request: a connection that
// was refused, a failed proof of identity. It never waits. Records above
// Options.HandshakesPerSecond, and any while half of the queue is taken, are left
// out and counted in a record of verdict OMITTED. It looks at the level itself.
func (l *Log) Handshake(r Record) {
	if !l.Wants(ClassHandshake, r.Verdict) {
		return
	}
	r.complete()
	if l.flood.admit(r.Time) && l.queue.try(&r) {
		return
	}
	if l.flood.omit(&r) {
		l.queue.ring()
	}
}

// Close refuses new records, waits for the tickets that are out, writes
// everything, syncs, and ends the goroutines, all within Options.CloseTimeout. It
// may be called more than once. The error has reason TIMED_OUT when a ticket was
// still out or the disk did not answer (then the goroutine ends when it does), and
// DISK_PRESSURE when the last records could not be written.
//
// Tails get the last lines and end; Close does not wait for their readers.
func (l *Log) Close() error {
	l.closing.Do(func() { l.closeErr = l.shut() })
	return l.closeErr
}

func (l *Log) shut() error {
	if l.o.Level == LevelNone {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.o.CloseTimeout)
	defer cancel()
	tickets, cancelTickets := context.WithTimeout(ctx, l.o.CloseTimeout/2)
	defer cancelTickets()

	var errs []error
	select {
	case <-l.queue.close():
	case <-tickets.Done():
		errs = append(errs, l.overdue("a ticket is still out"))
	}
	close(l.stop)
	select {
	case <-l.written:
		errs = append(errs, l.verdict(), l.release())
	case <-ctx.Done():
		errs = append(errs, l.overdue("the disk does not answer"))
	}
	close(l.hush)
	select {
	case <-l.reported:
	case <-ctx.Done():
		errs = append(errs, l.overdue("the logger does not answer"))
	}
	return errors.Join(errs...)
}

// verdict is the error of a log whose last write failed.
func (l *Log) verdict() error {
	last := l.counts.last.Load()
	if !l.counts.failing.Load() || last == nil {
		return nil
	}
	return diskError("close", fmt.Errorf("%d records were lost since the start, the latest at the end: %s",
		l.counts.lost.Load(), last.message))
}

func (l *Log) release() error {
	if l.own == nil {
		return nil
	}
	return l.own.Close()
}

func (l *Log) overdue(what string) error {
	return candor.Wrap("audit: close", candor.Errorf(candor.ReasonTimedOut, "%s after %v",
		what, l.o.CloseTimeout.Round(time.Millisecond)))
}

// complete makes a caller's record ready to wait.
func (r *Record) complete() {
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	r.own = own{}
	r.bound()
}
