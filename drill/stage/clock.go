package stage

import (
	"context"
	"debug/buildinfo"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
)

// clock is a server's wall clock, by a file that a server with failpoints reads
// whenever it looks at the time.
type clock struct {
	path string
	mu   sync.Mutex
}

func newClock(path string) *clock { return &clock{path: path} }

// clockVariable names the file. It is put together here because the name itself is a
// mark of a binary that has failpoints.
func clockVariable() string { return strings.Join([]string{"CANDOR", "CLOCK", "OFFSET"}, "_") }

// hasFailpoints says whether a binary was built with them.
func hasFailpoints(binary string) bool {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return false
	}
	for _, setting := range info.Settings {
		if setting.Key == "-tags" {
			for tag := range strings.SplitSeq(setting.Value, ",") {
				if tag == "failpoints" {
					return true
				}
			}
		}
	}
	return false
}

// set has the clock be off by so much, at once.
func (c *clock) set(by time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := os.WriteFile(c.path+".new", []byte(by.String()), 0o600); err != nil {
		return candor.Wrap("stage", err)
	}
	return candor.Wrap("stage", os.Rename(c.path+".new", c.path))
}

// off is how far a clock is off so long after the fault began.
func off(f *scenario.Fault, since time.Duration) time.Duration {
	by := time.Duration(f.Offset) + time.Duration(float64(since)*float64(f.Drift)/1e6)
	if f.Freeze {
		by -= since
	}
	return by
}

// tick is how often a clock that drifts or stands still is set.
const tick = 20 * time.Millisecond

// shift sets clocks off. A clock counts as bitten once what its server tells of the time
// is off by more than half of what it was set by.
func (s *Stage) shift(ctx context.Context, f *scenario.Fault, targets []*member) (drill.Injection, error) {
	began := time.Now()
	for _, m := range targets {
		if err := m.clock.set(off(f, 0)); err != nil {
			return nil, err
		}
	}
	going, stop := context.WithCancel(s.ctx)
	bitten := map[*member]bool{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	look := func(ctx context.Context) {
		for _, m := range targets {
			by := off(f, time.Since(began))
			if seen, err := s.deviation(ctx, m); err == nil && by.Abs() > leastShift && (by < 0) == (seen < 0) && seen.Abs() > by.Abs()/2 {
				mu.Lock()
				bitten[m] = true
				mu.Unlock()
			}
		}
	}
	if f.Drift != 0 || f.Freeze {
		wait.Go(func() {
			for sleep(going, tick) {
				for _, m := range targets {
					// A clock that is not set now is set by the next tick.
					_ = m.clock.set(off(f, time.Since(began)))
				}
			}
		})
	}
	wait.Go(func() {
		for sleep(going, 10*tick) {
			look(going)
		}
	})
	count := func() drill.Bite {
		mu.Lock()
		defer mu.Unlock()
		return drill.Bite{Seen: len(bitten), What: "servers whose clock was seen to be off"}
	}
	if f.Offset != 0 {
		if err := await(ctx, "a clock to be seen off", func(ctx context.Context) (bool, error) {
			look(ctx)
			return count().Seen > 0 || time.Duration(f.Offset).Abs() <= leastShift, nil
		}); err != nil && ctx.Err() != nil {
			s.logger.Warn("no clock was seen off in time", "error", err)
		}
	}
	return s.lasts(count, func(context.Context) error {
		stop()
		wait.Wait()
		for _, m := range targets {
			if err := m.clock.set(0); err != nil && s.ctx.Err() == nil {
				return err
			}
		}
		return nil
	}), nil
}

// leastShift is what can be told from the age of what a server tells.
const leastShift = 100 * time.Millisecond

// deviation is how far a server's clock is from this machine's, less the age of the
// view that it tells the time of.
func (s *Stage) deviation(ctx context.Context, m *member) (time.Duration, error) {
	status, err := s.status(ctx, m)
	if err != nil {
		return 0, err
	}
	if status.Witness == nil || status.Witness.ViewUpdatedAt.IsZero() {
		return 0, candor.Errorf(candor.ReasonUnavailable, "%s does not tell the time of its view", m.name())
	}
	return time.Until(status.Witness.ViewUpdatedAt), nil
}
