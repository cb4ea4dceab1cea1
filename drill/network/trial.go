package network

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/candor-plane/candor"
)

// try wants each direction to deliver unless nothing arrives there. It does not
// judge those that lose some: counters do.
func (l *Links) try(ctx context.Context, directions ...Direction) error {
	failures := make([]error, len(directions))
	var wait sync.WaitGroup
	for i, d := range directions {
		w, err := l.ways.way(d)
		if err != nil {
			return err
		}
		c, _ := w.condition()
		if c.shape.Loss > 0 && !c.silent() {
			continue
		}
		wait.Go(func() {
			delivered, err := l.delivers(ctx, w)
			if err == nil && delivered == c.silent() {
				err = candor.Errorf(candor.ReasonUnavailable, "link %s: cut %t, and delivers %t: the fault is not what it was made", d, c.silent(), delivered)
			}
			failures[i] = err
		})
	}
	wait.Wait()
	return errors.Join(failures...)
}

const (
	// settles bounds how long what was sent over a whole way takes to arrive.
	settles = 60 * time.Millisecond
	// repeats bounds how long something is sent again over a way that loses some.
	repeats = 5 * time.Second
)

func (l *Links) delivers(ctx context.Context, w *way) (bool, error) {
	c, _ := w.condition()
	patience := settles + 3*(c.shape.Delay+c.shape.Jitter)
	for began := time.Now(); ; {
		arrived, err := l.arrives(ctx, w, patience)
		if arrived || err != nil || c.silent() || time.Since(began) > repeats {
			return arrived, err
		}
	}
}

// arrives sends one number and waits for it.
func (l *Links) arrives(ctx context.Context, w *way, patience time.Duration) (bool, error) {
	number, arrived := w.expect()
	defer w.forget(number)
	if err := l.carrier.send(w.Direction, number); err != nil {
		return false, err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-arrived:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}
