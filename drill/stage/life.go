package stage

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
)

// kill ends the targets with SIGKILL at once.
func (s *Stage) kill(_ context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	seen := 0
	var wait sync.WaitGroup
	for _, m := range targets {
		if m.running() != nil {
			seen++
		}
		wait.Go(m.kill)
	}
	wait.Wait()
	return s.away(f, targets, seen, "servers killed"), nil
}

// stop ends the targets as an operator does, at once.
func (s *Stage) stop(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	failed := make([]error, len(targets))
	var wait sync.WaitGroup
	for i, m := range targets {
		wait.Go(func() { failed[i] = m.stop(ctx) })
	}
	wait.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return s.away(f, targets, len(targets), "servers stopped"), nil
}

// away is what it is for targets not to run, for a time or for good.
func (s *Stage) away(f *scenario.Fault, targets []*member, seen int, what string) drill.Injection {
	if f.For == 0 {
		return over(seen, what)
	}
	return s.lasts(func() drill.Bite { return drill.Bite{Seen: seen, What: what} }, func(ctx context.Context) error {
		return s.returns(ctx, targets...)
	})
}

// restart stops and begins each target, and waits until it has caught up before the
// next.
func (s *Stage) restart(ctx context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	for _, m := range targets {
		if err := s.renew(ctx, m); err != nil {
			return nil, err
		}
	}
	return over(len(targets), "servers restarted"), nil
}

func (s *Stage) renew(ctx context.Context, m *member) error {
	if err := m.stop(ctx); err != nil {
		return err
	}
	if err := s.begin(m); err != nil {
		return err
	}
	return s.well(ctx, m)
}

// pause stops the targets' processes with SIGSTOP, and counts those that were seen to
// stand still.
func (s *Stage) pause(ctx context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	goOn := func() {
		for _, m := range targets {
			if run := m.running(); run != nil {
				_ = run.Signal(syscall.SIGCONT) // who is gone needs none
			}
		}
	}
	for _, m := range targets {
		run, err := m.alive()
		if err == nil {
			err = run.Signal(syscall.SIGSTOP)
		}
		if err != nil {
			goOn()
			return nil, err
		}
	}
	seen := 0
	for _, m := range targets {
		if await(ctx, m.name()+" to stand still", func(context.Context) (bool, error) {
			run := m.running()
			return run != nil && run.Stopped(), nil
		}) == nil {
			seen++
		}
	}
	return s.lasts(func() drill.Bite { return drill.Bite{Seen: seen, What: "servers stopped with SIGSTOP"} },
		func(ctx context.Context) error {
			goOn()
			return s.returns(ctx, targets...)
		}), nil
}

// transfer moves leadership, to the server that f.To names or to any other.
func (s *Stage) transfer(ctx context.Context, f *scenario.Fault, _ []*member) (drill.Injection, error) {
	was, err := s.awaitLeader(ctx)
	if err != nil {
		return nil, err
	}
	to, _, _ := strings.Cut(f.To, ",")
	if to == was.name() {
		return over(0, "leaders changed: "+to+" led already"), nil
	}
	var is *member
	err = await(ctx, "leadership to move", func(context.Context) (bool, error) {
		// As long as the servers take, not as long as a look does.
		_, err := s.own.Cluster().TransferLeader(ctx, to)
		if err != nil && candor.ReasonOf(err).Disposition().Exit == candor.ExitUsage {
			return false, err
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		leader, failed := s.leader(short)
		if failed != nil {
			return false, failed
		}
		is = leader
		return is != was, err
	})
	if err != nil {
		return nil, err
	}
	return over(1, "leaders changed"), nil
}

func (s *Stage) awaitLeader(ctx context.Context) (leader *member, err error) {
	err = await(ctx, "a leader", func(ctx context.Context) (bool, error) {
		leader, err = s.leader(ctx)
		return err == nil, err
	})
	return leader, err
}
