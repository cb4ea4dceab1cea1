package servertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
)

// injection is a fault of a stage.
type injection struct {
	what string
	seen func() int
	heal func(context.Context) error
}

// Bite implements [drill.Injection].
func (i injection) Bite() drill.Bite { return drill.Bite{Seen: i.seen(), What: i.what} }

// Heal implements [drill.Injection].
func (i injection) Heal(ctx context.Context) error {
	if i.heal == nil {
		return nil
	}
	return i.heal(ctx)
}

// done is a fault of a moment.
func done(what string, n int) injection { return injection{what: what, seen: func() int { return n }} }

// makes are the kinds that a stage can make.
var makes = map[scenario.Kind]func(*Stage, context.Context, *scenario.Fault, []string) (injection, error){
	scenario.Kill:      (*Stage).kills,
	scenario.Stop:      (*Stage).stops,
	scenario.Restart:   (*Stage).restarts,
	scenario.Pause:     (*Stage).pauses,
	scenario.Transfer:  (*Stage).transfers,
	scenario.Partition: (*Stage).parts,
	scenario.Link:      (*Stage).slows,
	scenario.SlowDisk:  (*Stage).slowsDisks,
	scenario.HangDisk:  (*Stage).hangsDisks,
	scenario.FailDisk:  (*Stage).failsDisks,
	scenario.Damage:    (*Stage).damages,
	scenario.Wipe:      (*Stage).wipes,
	scenario.Clock:     (*Stage).shiftsClocks,
	scenario.Add:       (*Stage).adds,
	scenario.Remove:    (*Stage).removes,
	scenario.Replace:   (*Stage).replaces,
	scenario.Starve:    (*Stage).starves,
	scenario.Storm:     (*Stage).storms,
	scenario.Sleeper:   (*Stage).sleeps,
	scenario.Malformed: (*Stage).malforms,
	scenario.Move:      (*Stage).moves,
	scenario.LoseNodes: (*Stage).losesNodes,
}

// Able says why a cluster in memory cannot have all of a scenario befall it; nil if it can.
func Able(s *scenario.Scenario) error {
	if s.Cluster.Previous {
		return candor.Errorf(candor.ReasonUnimplemented, "servers of another release take processes")
	}
	if s.Cluster.Workers > 0 {
		return candor.Errorf(candor.ReasonUnimplemented, "workers and what they run take processes: in virtual time there are none")
	}
	for i := range s.Faults {
		if err := (*Stage)(nil).Able(&s.Faults[i]); err != nil {
			return err
		}
	}
	return nil
}

// Able implements [drill.Stage].
func (*Stage) Able(f *scenario.Fault) error {
	if _, able := makes[f.Kind]; !able {
		return candor.Errorf(candor.ReasonUnimplemented, "%s takes processes: in virtual time there are none", f.Kind)
	}
	if f.Loss > 0 || f.Reorder > 0 || f.Duplicate > 0 {
		return candor.Errorf(candor.ReasonUnimplemented, "links in memory can be cut and slow: loss, reordering and duplication take a network")
	}
	return nil
}

// Inject implements [drill.Stage].
func (st *Stage) Inject(ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
	if err := st.Able(f); err != nil {
		return nil, err
	}
	return makes[f.Kind](st, ctx, f, targets)
}

// each does something to all targets at once, and waits for it.
func (st *Stage) each(targets []string, change func(*member) error) error {
	failed := make([]error, len(targets))
	var wait sync.WaitGroup
	for i, name := range targets {
		wait.Go(func() { failed[i] = st.turn(name, change) })
	}
	wait.Wait()
	return errors.Join(failed...)
}

func (st *Stage) revives(targets []string) func(context.Context) error {
	return func(context.Context) error { return st.each(targets, st.up) }
}

func (st *Stage) kills(_ context.Context, f *scenario.Fault, targets []string) (injection, error) {
	return st.ends("servers killed", f, targets, st.down)
}

func (st *Stage) stops(_ context.Context, f *scenario.Fault, targets []string) (injection, error) {
	return st.ends("servers stopped", f, targets, st.stop)
}

func (st *Stage) ends(what string, f *scenario.Fault, targets []string, end func(*member) error) (injection, error) {
	err := st.each(targets, end)
	i := done(what, len(targets))
	if f.For > 0 {
		i.heal = st.revives(targets)
	}
	return i, err
}

func (st *Stage) restarts(ctx context.Context, _ *scenario.Fault, targets []string) (injection, error) {
	k, err := st.Client()
	if err != nil {
		return injection{}, err
	}
	defer func() { _ = k.Close() }()
	for i, name := range targets {
		if err := st.turn(name, st.stop); err != nil {
			return done("servers restarted", i), err
		}
		if err := st.turn(name, st.up); err != nil {
			return done("servers restarted", i), err
		}
		if err := until(ctx, func() bool { return caughtUp(ctx, k, name) }); err != nil {
			return done("servers restarted", i), err
		}
	}
	return done("servers restarted", len(targets)), nil
}

// caughtUp says whether a server has applied what the others had committed.
func caughtUp(ctx context.Context, k *client.Client, name string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	newest, err := k.Cluster().Status(ctx)
	if err != nil {
		return false
	}
	own, err := k.Cluster().Status(ctx, client.OnEndpoint(name), client.WithoutSession())
	return err == nil && own.Leader != nil && own.Applied.Index >= newest.CommitIndex
}

// until polls a condition as long as ctx lasts.
func until(ctx context.Context, condition func() bool) error {
	for !condition() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
