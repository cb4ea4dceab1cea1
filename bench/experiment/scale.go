package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/candor-plane/candor/bench/load"
	"github.com/candor-plane/candor/bench/system"
)

const (
	// scaleClients write while a snapshot is taken.
	scaleClients = 64
	// sampleInterval is how often memory is read while everything is listed.
	sampleInterval = 5 * time.Millisecond
	// shortestSnapshot keeps writes recorded at least so long after a snapshot
	// began, so that its p99 stands on enough of them.
	shortestSnapshot = 500 * time.Millisecond
)

var scaleMetrics = []Metric{
	{Name: "load-rate", Unit: "obj/s", Better: Higher},
	{Name: "rss-loaded", Unit: "MiB", Better: Lower},
	{Name: "rss-loaded-anon", Unit: "MiB", Better: Lower},
	{Name: "disk", Unit: "MiB", Better: Lower},
	{Name: "restart", Unit: "s", Better: Lower},
	{Name: "rss-restarted", Unit: "MiB", Better: Lower},
	{Name: "rss-restarted-anon", Unit: "MiB", Better: Lower},
	{Name: "list-time", Unit: "s", Better: Lower},
	{Name: "list-rss", Unit: "MiB", Better: Lower},
	{Name: "write-p99", Unit: "ms", Better: Lower},
	{Name: "snapshot-write-p99", Unit: "ms", Better: Lower},
	{Name: "snapshot-slowdown", Unit: "×", Better: Lower},
	{Name: "snapshot-time", Unit: "s", Better: Lower},
}

// scale loads a large state and asks what it costs to hold, to restart with, to
// list and to snapshot. Memory and disk are the mean over the members.
func scale(count int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		corpus := system.NewCorpus("item")
		begun := time.Now()
		if err := s.Prepare(ctx, count); err != nil {
			return nil, err
		}
		values := Values{"load-rate": float64(count) / time.Since(begun).Seconds()}
		for _, step := range []func(context.Context, Values) error{
			s.holdLoaded, s.restartAll, s.holdRestarted,
			func(ctx context.Context, v Values) error { return s.list(ctx, v, corpus, count) },
			s.snapshot,
		} {
			if err := step(ctx, values); err != nil {
				return nil, err
			}
		}
		return values, nil
	}
}

func (s *Subject) holdLoaded(ctx context.Context, values Values) error {
	if err := s.hold(ctx, values, "rss-loaded"); err != nil {
		return err
	}
	disk, err := allocated(s.Dir)
	values["disk"] = mebibytes(disk) / system.Members
	return err
}

func (s *Subject) holdRestarted(ctx context.Context, values Values) error {
	return s.hold(ctx, values, "rss-restarted")
}

func (s *Subject) hold(ctx context.Context, values Values, name string) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	held, err := s.memory()
	values[name] = mebibytes(held.Resident)
	values[name+"-anon"] = mebibytes(held.Anonymous)
	return err
}

// restartAll kills and restarts the followers, then the leader; the time is the
// median of the three.
func (s *Subject) restartAll(ctx context.Context, values Values) error {
	leader, err := s.Cluster.Leader(ctx)
	if err != nil {
		return err
	}
	probe := s.items[len(s.items)-1]
	took := make([]float64, 0, system.Members)
	for _, member := range append(s.others(leader), leader) {
		conns, err := s.dialLeader(ctx, 1)
		if err != nil {
			return err
		}
		at, err := conns[0].Read(ctx, probe, system.Strong)
		if err := errors.Join(err, closeAll(conns)); err != nil {
			return fmt.Errorf("read the revision to restart to: %w", err)
		}
		if err := s.Cluster.Processes().Kill(member); err != nil {
			return err
		}
		once, err := s.restart(ctx, member, probe, at.Revision)
		if err != nil {
			return err
		}
		took = append(took, once.Seconds())
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	slices.Sort(took)
	values["restart"] = took[len(took)/2]
	return nil
}

// list fetches everything from the leader and watches that member's memory.
func (s *Subject) list(ctx context.Context, values Values, corpus system.Corpus, count int) error {
	leader, err := s.Cluster.Leader(ctx)
	if err != nil {
		return err
	}
	conns, err := s.dial(ctx, 1, leader)
	if err != nil {
		return err
	}
	defer func() { _ = closeAll(conns) }()
	member := s.Cluster.Processes().Member(leader)
	before, err := member.Memory()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	begun := time.Now()
	go func() {
		seen, err := conns[0].List(ctx, corpus)
		if err == nil && seen != count {
			err = fmt.Errorf("list answered %d objects, wanted %d", seen, count)
		}
		done <- err
	}()
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for most := before.Resident; ; {
		select {
		case err := <-done:
			values["list-time"] = time.Since(begun).Seconds()
			values["list-rss"] = mebibytes(most - before.Resident)
			return err
		case <-ticker.C:
			now, err := member.Memory()
			if err != nil {
				return errors.Join(err, <-done)
			}
			most = max(most, now.Resident)
		}
	}
}

// snapshot compares the p99 of writes while the leader takes a snapshot with
// that of the same writes just before.
func (s *Subject) snapshot(ctx context.Context, values Values) error {
	leader, err := s.Cluster.Leader(ctx)
	if err != nil {
		return err
	}
	conns, err := s.dial(ctx, scaleClients, leader)
	if err != nil {
		return err
	}
	defer func() { _ = closeAll(conns) }()
	control, err := s.dial(ctx, 1, leader)
	if err != nil {
		return err
	}
	defer func() { _ = closeAll(control) }()
	running := load.Start(ctx, s.updaters(conns, scaleClients))
	err = func() error {
		if err := running.Wait(ctx, s.Plan.Warm); err != nil {
			return err
		}
		usual, err := running.Measure(func() error {
			if err := running.Wait(ctx, s.Plan.Window); err != nil {
				return err
			}
			return running.AwaitAnswer(ctx, stopGrace)
		})
		if err != nil {
			return err
		}
		var took time.Duration
		during, err := running.Measure(func() error {
			begun := time.Now()
			if err := control[0].Snapshot(ctx, s.Dir); err != nil {
				return err
			}
			took = time.Since(begun)
			if err := running.Wait(ctx, shortestSnapshot-took); err != nil {
				return err
			}
			return running.AwaitAnswer(ctx, stopGrace)
		})
		if err != nil {
			return err
		}
		before, while := usual.Latency.Quantile(0.99), during.Latency.Quantile(0.99)
		values["write-p99"] = milliseconds(before)
		values["snapshot-write-p99"] = milliseconds(while)
		values["snapshot-slowdown"] = while.Seconds() / before.Seconds()
		values["snapshot-time"] = took.Seconds()
		return nil
	}()
	if stopped := running.Stop(stopGrace); err == nil {
		err = stopped
	}
	return err
}

// allocated is what the members' directories under dir take up on disk; logs and
// configurations lie beside them.
func allocated(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		// Files come and go under a running member.
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() || filepath.Dir(path) == dir {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			total += stat.Blocks * 512
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("measure disk use: %w", err)
	}
	return total, nil
}
