package stage

import (
	"context"
	"time"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/disk"
)

// A room holds the ballast (40 MiB), two segments of the log (32 MiB each), snapshots,
// and the watermark: that is more than a segment, and with what it takes to end the
// pressure less than the ballast.
const (
	roomBytes     = 224 << 20
	roomWatermark = 34 << 20
)

// slowDisk delays every sync of the targets' logs.
func (s *Stage) slowDisk(_ context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	return s.befall(targets, disk.Delay, time.Duration(f.Delay), "syncs delayed", func(c disk.Counts) int { return c.Delayed }), nil
}

// hangDisk answers no sync of the targets' logs. Servers end by their watchdog, and
// begin again when it is over.
func (s *Stage) hangDisk(_ context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	return s.befall(targets, disk.Hang, 0, "syncs held", func(c disk.Counts) int { return c.Hung }), nil
}

func (s *Stage) befall(targets []*member, manner disk.Manner, delay time.Duration, what string, count func(disk.Counts) int) drill.Injection {
	before := map[*member]int{}
	for _, m := range targets {
		before[m] = count(m.syncs.Counts())
		m.syncs.Set(manner, delay)
	}
	return s.lasts(func() drill.Bite {
		seen := 0
		for _, m := range targets {
			seen += count(m.syncs.Counts()) - before[m]
		}
		return drill.Bite{Seen: seen, What: what}
	}, func(ctx context.Context) error {
		for _, m := range targets {
			m.syncs.Set(disk.Pass, 0)
		}
		return s.returns(ctx, targets...)
	})
}

// failDisk answers the next sync of each target's log with EIO, and waits until the
// server has ended of it. It begins again after f.For, or where that is 0 at once.
func (s *Stage) failDisk(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	for _, m := range targets {
		run, err := m.alive()
		if err != nil {
			return nil, err
		}
		before := m.syncs.Counts().Failed
		m.syncs.Set(disk.FailOnce, 0)
		err = await(ctx, "a sync of "+m.name()+" to fail", func(context.Context) (bool, error) {
			return m.syncs.Counts().Failed > before, nil
		})
		if err == nil {
			_, err = run.Wait(ctx)
		}
		if err != nil {
			m.syncs.Set(disk.Pass, 0)
			return nil, err
		}
	}
	const what = "syncs failed with EIO"
	if f.For == 0 {
		if err := s.returns(ctx, targets...); err != nil {
			return nil, err
		}
		return over(len(targets), what), nil
	}
	return s.lasts(func() drill.Bite { return drill.Bite{Seen: len(targets), What: what} }, func(ctx context.Context) error {
		return s.returns(ctx, targets...)
	}), nil
}

// fullDisk leaves no room on the targets' disks, and waits until they have noticed.
func (s *Stage) fullDisk(ctx context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	pressed := newTally()
	empty := func() error {
		for _, m := range targets {
			if err := m.room.Empty(); err != nil {
				return err
			}
		}
		return nil
	}
	for _, m := range targets {
		if err := m.room.Leave(0); err != nil {
			_ = empty()
			return nil, err
		}
	}
	for _, m := range targets {
		err := await(ctx, m.name()+" to find its disk full", func(ctx context.Context) (bool, error) {
			report, err := s.own.Diagnostics(m.server.API).Node(ctx)
			if err != nil && m.running() == nil {
				return true, nil // it found it so, and ended
			}
			return err == nil && report.Disk != nil && report.Disk.Pressure, err
		})
		if err != nil {
			_ = empty()
			return nil, err
		}
		pressed.add(m.name())
	}
	return s.lasts(func() drill.Bite {
		return drill.Bite{Seen: pressed.count(), What: "servers without room on their disk"}
	},
		func(ctx context.Context) error {
			if err := empty(); err != nil && s.ctx.Err() == nil {
				return err
			}
			return s.returns(ctx, targets...)
		}), nil
}
