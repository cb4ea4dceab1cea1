package limit

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
)

// Limiter decides which requests a node works on now. Its methods may be called
// concurrently. It has no goroutine and needs no Close.
type Limiter struct {
	epoch   time.Time
	table   *table
	classes [classCount]class

	setting    sync.Mutex // one Set at a time
	identities atomic.Int64
	watches    watches
}

// New makes a limiter. The error is that of Settings.Check.
func New(settings Settings) (*Limiter, error) {
	l := &Limiter{epoch: time.Now(), table: newTable()}
	for i := range l.classes {
		l.classes[i].name = classNames[i]
	}
	if err := l.Set(settings); err != nil {
		return nil, err
	}
	return l, nil
}

// Set replaces the settings; the error is that of Settings.Check, and then the
// old ones stay. Nobody who has entered is put out: a class that has become too
// small for what is under way takes nobody in until it is not, and only then are
// the places that are reserved for servers surely free.
func (l *Limiter) Set(settings Settings) error {
	if err := settings.Check(); err != nil {
		return err
	}
	l.setting.Lock()
	defer l.setting.Unlock()
	l.identities.Store(int64(settings.Identities))
	l.watches.set(settings.Watches, settings.WatchesPerIdentity)
	for i := range l.classes {
		l.classes[i].limits.Store(newLimits(settings.class(i)))
	}
	l.table.each(func(id *identity) { // who waits may have a larger share now
		for i := range id.lines {
			c := &l.classes[i]
			c.mu.Lock()
			c.settle(&id.lines[i])
			c.dispatch()
			c.mu.Unlock()
		}
	})
	return nil
}

// Place is that a request may go on. The zero Place holds nothing.
type Place struct{ line *line }

// Enter waits for a place for a request of a class. Whoever gets it calls Done
// once, when the request ends, and asks for no second place meanwhile: requests
// that each hold one and wait for another would wait for ever.
//
// The error has reason QUEUE_SATURATED and a RetryAfter; it wraps what ended ctx,
// if that did. A class that is none is INTERNAL.
func (l *Limiter) Enter(ctx context.Context, who Who, class candor.AdmissionClass) (Place, error) {
	index := indexOf(class)
	if index < 0 {
		return Place{}, candor.Errorf(candor.ReasonInternal, "no limits for admission class %q", class)
	}
	s := l.table.shard(who.key)
	id, in, holds := s.try(who.key, index)
	if id == nil {
		id = l.meet(s, who)
	}
	line := &id.lines[index]
	if !in {
		defer id.unpin()
		if err := l.enter(ctx, line, holds); err != nil {
			return Place{}, err
		}
	}
	line.entered.Add(1)
	return Place{line}, nil
}

// enter is the slow way in. Whoever holds a place of its identity's owed no rate
// when it came.
func (l *Limiter) enter(ctx context.Context, line *line, holds bool) error {
	if !holds && line.owesRate(line.class.limits.Load()) {
		if err := l.pay(ctx, line); err != nil {
			return err
		}
	}
	return line.class.enter(ctx, line, holds)
}

// Done gives the place back. It panics if that is one too many.
func (p Place) Done() {
	if p.line == nil {
		return
	}
	p.line.class.leave(p.line)
}

// pay takes a token of the identity's, and waits until it is due. One that is due
// too late for the request is not taken; one that was is spent, also by a request
// that is refused afterwards.
func (l *Limiter) pay(ctx context.Context, line *line) error {
	c := line.class
	lim := c.limits.Load()
	wait, taken := line.pay(ctx, lim, l.now())
	if !taken {
		return c.refuse(line, causeRate, wait, nil)
	}
	if wait == 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return c.refuse(line, causeEnded, wait, context.Cause(ctx))
	}
}

// pay takes a token that is due before the request has been held back for as long
// as it may, or else says when one is due.
func (l *line) pay(ctx context.Context, lim *limits, now int64) (wait time.Duration, taken bool) {
	for {
		full := l.full.Load()
		next, wait := lim.rate.take(full, now)
		if wait > 0 && wait > patience(ctx, lim.rateWait) {
			return wait, false
		}
		if l.full.CompareAndSwap(full, next) {
			return wait, true
		}
	}
}

func patience(ctx context.Context, most time.Duration) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return most
	}
	return min(most, time.Until(deadline))
}

// identity is what is known of a party, pinned.
func (l *Limiter) identity(who Who) *identity {
	s := l.table.shard(who.key)
	if id := s.find(who.key); id != nil {
		return id
	}
	return l.meet(s, who)
}

// now is on the clock of the buckets.
func (l *Limiter) now() int64 { return int64(time.Since(l.epoch)) }
