package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor/bench/system"
)

const (
	// gapWriters write at once, so that the end of a gap is seen when it comes.
	gapWriters = 8
	// attempt bounds one write; a lost one is tried again at once after it.
	attempt = 250 * time.Millisecond
	// beforeKill is how long writes go on before the leader dies.
	beforeKill = 500 * time.Millisecond
	// longestOutage bounds the wait for writes to resume.
	longestOutage = 30 * time.Second
	retryPause    = 5 * time.Millisecond
)

var gapMetrics = []Metric{{Name: "gap", Unit: "s", Better: Lower}}

// leaderKill answers the longest time without any acknowledged write after the
// leader was killed, seen by writers who know every member.
func leaderKill(ctx context.Context, s *Subject) (Values, error) {
	leader, err := s.Cluster.Leader(ctx)
	if err != nil {
		return nil, err
	}
	writers, err := s.startWriters(ctx)
	if err != nil {
		return nil, err
	}
	gap, err := func() (time.Duration, error) {
		if err := pause(ctx, beforeKill); err != nil {
			return 0, err
		}
		if writers.acknowledged.Load() == 0 {
			return 0, fmt.Errorf("no write acknowledged in the %v before the kill", beforeKill)
		}
		killed := time.Now()
		if err := s.Cluster.Processes().Kill(leader); err != nil {
			return 0, err
		}
		return writers.gapAfter(ctx, killed, s.Plan.AfterKill)
	}()
	if stopped := writers.stop(); err == nil {
		err = stopped
	}
	if err != nil {
		return nil, err
	}
	return Values{"gap": gap.Seconds()}, s.heal(ctx, leader)
}

// heal restarts the killed member and waits until it has caught up.
func (s *Subject) heal(ctx context.Context, member int) error {
	conns, err := s.dialLeader(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { _ = closeAll(conns) }()
	at, err := conns[0].Read(ctx, s.items[0], system.Strong)
	if err != nil {
		return fmt.Errorf("read the revision to catch up with: %w", err)
	}
	if _, err := s.restart(ctx, member, s.items[0], at.Revision); err != nil {
		return err
	}
	return s.settle(ctx)
}

// writers write without end and note when each write was acknowledged.
type writers struct {
	cancel       context.CancelFunc
	running      sync.WaitGroup
	conns        []system.Conn
	acknowledged atomic.Int64

	mu   sync.Mutex
	acks []time.Time
	last error
}

func (s *Subject) startWriters(ctx context.Context) (*writers, error) {
	w := &writers{acks: make([]time.Time, 0, 1<<18)}
	for range gapWriters {
		conn, err := s.Cluster.Dial(ctx, s.others(-1)...)
		if err != nil {
			return nil, errors.Join(err, closeAll(w.conns))
		}
		w.conns = append(w.conns, conn)
	}
	ctx, w.cancel = context.WithCancel(ctx)
	for i, conn := range w.conns {
		w.running.Go(func() { w.write(ctx, s, conn, i) })
	}
	return w, nil
}

func (w *writers) write(ctx context.Context, s *Subject, conn system.Conn, writer int) {
	for ctx.Err() == nil {
		bounded, cancel := context.WithTimeout(ctx, attempt)
		_, err := conn.Update(bounded, s.item(writer))
		now := time.Now()
		cancel()
		w.note(now, err)
		if err != nil && pause(ctx, retryPause) != nil {
			return
		}
	}
}

func (w *writers) note(at time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.last = err
		return
	}
	w.acks = append(w.acks, at)
	w.acknowledged.Add(1)
}

// gapAfter watches for at least so long after the kill, and until the time since
// the last acknowledgement is no longer the longest gap.
func (w *writers) gapAfter(ctx context.Context, killed time.Time, atLeast time.Duration) (time.Duration, error) {
	for wait := atLeast; ; wait = 100 * time.Millisecond {
		if err := pause(ctx, wait); err != nil {
			return 0, err
		}
		now := time.Now()
		w.mu.Lock()
		acks, last := slices.Clone(w.acks), w.last
		w.mu.Unlock()
		gap, open := longestGap(acks, killed, now)
		if open < gap {
			return gap, nil
		}
		if now.Sub(killed) > longestOutage {
			return 0, fmt.Errorf("writes have not resumed %v after the kill: %w", longestOutage, last)
		}
	}
}

func (w *writers) stop() error {
	w.cancel()
	w.running.Wait()
	return closeAll(w.conns)
}

// longestGap is the longest time between two acknowledgements of which the later
// came after since, and the time from the last one to now. Both may be the same
// gap, if it is still open. It sorts acks.
func longestGap(acks []time.Time, since, now time.Time) (longest, open time.Duration) {
	slices.SortFunc(acks, time.Time.Compare)
	previous := since
	for _, at := range acks {
		if at.After(since) {
			longest = max(longest, at.Sub(previous))
		}
		previous = at
	}
	open = now.Sub(previous)
	return max(longest, open), open
}
