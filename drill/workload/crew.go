package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// How long a call may take. A write outlasts most elections; a read that has not
// been answered by then says nothing, and the next one more.
const (
	writePatience = time.Second
	readPatience  = 600 * time.Millisecond
)

// crew is the clients of a workload while it runs. Its owner calls done.
type crew struct {
	env *Env
	// value of the entries that it writes; nil for that in their label.
	value history.Value
	hands []*hand
	wait  sync.WaitGroup
}

// join adds a client with a session of its own, recorded as the name. With servers, it
// knows these alone.
func (c *crew) join(name string, servers ...string) (*hand, error) {
	h, err := c.env.hand(name, c.value, servers...)
	if err != nil {
		return nil, err
	}
	c.hands = append(c.hands, h)
	return h, nil
}

// joinAs adds a client that is the actor of its name.
func (c *crew) joinAs(name string) (*hand, error) {
	k, err := c.env.ClientAs(name)
	if err != nil {
		return nil, candor.Wrap("client "+name, err)
	}
	h := c.env.handOf(k, name, c.value)
	c.hands = append(c.hands, h)
	return h, nil
}

// several has so many clients join, named after the workload. Nothing has begun when
// the error comes.
func (c *crew) several(workload string, n int) ([]*hand, error) {
	var joined []*hand
	for i := range n {
		h, err := c.join(fmt.Sprintf("%s-%d", workload, i+1))
		if err != nil {
			return nil, errors.Join(err, c.done())
		}
		joined = append(joined, h)
	}
	return joined, nil
}

// repeats has a client take one turn after another, with pauses of about the given
// length, until ctx ends. The turn that is under way then goes on to its own end.
func (c *crew) repeats(ctx context.Context, h *hand, pause time.Duration, turn func(ctx context.Context, h *hand)) {
	c.wait.Go(func() {
		for rest(ctx, h.random, pause) {
			turn(context.WithoutCancel(ctx), h)
		}
	})
}

// done waits for every client and closes it.
func (c *crew) done() error {
	c.wait.Wait()
	var failed []error
	for _, h := range c.hands {
		failed = append(failed, h.client.Close())
	}
	return errors.Join(failed...)
}

// rest waits for half to one and a half of a pause, so that the randomness decides what
// meets; false where ctx ended first.
func rest(ctx context.Context, random *rand.Rand, pause time.Duration) bool {
	return passes(ctx, pause/2+time.Duration(random.Int64N(int64(pause)+1)))
}

// passes waits; false where ctx ended first.
func passes(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// firstOf is the first of two errors: what went wrong, and what its end met.
func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
