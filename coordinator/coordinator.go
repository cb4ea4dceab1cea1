package coordinator

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Settings are how a node goes about tenures. Safety depends on none of them but
// Drift.
type Settings struct {
	// Duration is how long a tenure lasts without renewal, Renew how often it is
	// renewed, together with the node's others.
	Duration, Renew time.Duration
	// Grace is how long a free duty is the leader's to take before others do.
	Grace time.Duration
	// Courtesy is how long a new leader leaves a duty to a holder that did not lead.
	Courtesy time.Duration
	// Rest is how long a node that gave a failing duty up does not campaign for it.
	Rest time.Duration
	// Propose bounds one event.
	Propose time.Duration
	// Drift is by how many parts per million this node's clock may be slower than the
	// fastest leader's.
	Drift uint32
}

// Defaults are the measured ones.
func Defaults() Settings {
	return Settings{
		Duration: 3 * time.Second, Renew: time.Second, Grace: 1500 * time.Millisecond, Courtesy: 500 * time.Millisecond,
		Rest: 30 * time.Second, Propose: 2 * time.Second, Drift: 1000,
	}
}

// renewal is when a tenure is due that was renewed at a time, on the node's clock: all of
// a node's at once, so that one entry of the log has them.
func (s *Settings) renewal(renewed time.Duration) time.Duration {
	return renewed.Truncate(s.Renew) + s.Renew
}

func (s *Settings) check() error {
	switch {
	case int64(s.Duration) < tenure.MinDuration || int64(s.Duration) > tenure.MaxDuration:
		return candor.Errorf(candor.ReasonInvalid, "a tenure of %s: want between %s and %s", s.Duration, time.Duration(tenure.MinDuration), time.Duration(tenure.MaxDuration))
	case s.Renew <= 0 || s.Renew > s.Duration/2:
		return candor.Errorf(candor.ReasonInvalid, "renewals every %s of a tenure of %s: want at most half of it", s.Renew, s.Duration)
	case s.Propose <= 0 || s.Grace < 0 || s.Courtesy < 0 || s.Rest < 0:
		return candor.Errorf(candor.ReasonInvalid, "times of tenures are not below 0, and an event takes some")
	case s.Drift >= 500_000:
		return candor.Errorf(candor.ReasonInvalid, "a drift of %d parts per million: want below 500000", s.Drift)
	}
	return nil
}

// Config of a Coordinator.
type Config struct {
	Root     Root
	Node     Node
	Duties   []Duty
	Settings Settings
	Logger   hclog.Logger
}

// Coordinator holds duties until Close.
type Coordinator struct {
	keepers []*keeper
	cancel  context.CancelFunc
	wait    sync.WaitGroup
	close   sync.Once
}

// New begins to hold the duties. The error is INVALID for settings or duties that
// cannot be.
func New(config Config) (*Coordinator, error) {
	if config.Root == nil || config.Node == nil || config.Logger == nil {
		panic("coordinator: root, node and logger are required")
	}
	if err := config.Settings.check(); err != nil {
		return nil, err
	}
	c := &Coordinator{}
	seen := map[string]bool{}
	for _, d := range config.Duties {
		duty, err := tenure.DutyOf(d.Name())
		if err != nil {
			return nil, err
		}
		if seen[duty.Name] {
			return nil, candor.Errorf(candor.ReasonInvalid, "duty %s is given twice", duty.Name)
		}
		seen[duty.Name] = true
		_, bound := d.(Bound)
		c.keepers = append(c.keepers, &keeper{
			duty: duty, impl: d, bound: bound, root: config.Root, node: config.Node, settings: config.Settings,
			logger: config.Logger.Named(duty.Name), asked: make(chan handover),
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	for _, k := range c.keepers {
		c.wait.Go(func() { k.run(ctx) })
	}
	return c, nil
}

// Close stops every duty and seals what this node holds, so that others may follow
// at once, within the time of the context; what is not sealed by then expires. It
// may be called more than once.
func (c *Coordinator) Close(ctx context.Context) {
	c.close.Do(func() {
		c.cancel()
		c.wait.Wait()
		var sealing sync.WaitGroup
		for _, k := range c.keepers {
			sealing.Go(func() { k.finish(ctx) })
		}
		sealing.Wait()
		for _, k := range c.keepers {
			if k.acting != nil {
				k.acting.end()
			}
		}
	})
}

// Transfer hands a duty that is held here to another node, or, where to is this
// node, has it stay here when leadership goes. It returns once the era is sealed.
// Errors: NOT_HOSTED when this node does not hold the duty, NOT_FOUND when it never
// does, CONFLICT while it is being handed over, CANCELED and TIMED_OUT.
func (c *Coordinator) Transfer(ctx context.Context, duty, to string) error {
	for _, k := range c.keepers {
		if k.duty.Name != duty {
			continue
		}
		h := handover{to: to, answer: make(chan error, 1)}
		select {
		case k.asked <- h:
		case <-ctx.Done():
			return candor.Errorf(candor.ReasonTimedOut, "duty %s was not handed over in time", duty)
		}
		select {
		case err := <-h.answer:
			return err
		case <-ctx.Done():
			return candor.Errorf(candor.ReasonTimedOut, "duty %s has stopped here, and its era was not sealed in time", duty)
		}
	}
	return candor.Errorf(candor.ReasonNotFound, "this node never holds duty %s", duty)
}

// Status is every duty as it stands here.
func (c *Coordinator) Status() []Status {
	out := make([]Status, 0, len(c.keepers))
	for _, k := range c.keepers {
		out = append(out, k.status())
	}
	return out
}
