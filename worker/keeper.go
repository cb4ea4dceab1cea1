package worker

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/worker/shim"
)

// keeper makes what runs of one instance what it is to be. It belongs to one goroutine,
// that of run; stop and the state are for others.
type keeper struct {
	dir      shim.Dir
	uid      string
	ref      candor.Ref
	self     []string
	session  string
	probing  *http.Client
	policies *policies
	report   func(candor.InstanceObserved)
	log      hclog.Logger

	order    *shim.Order
	observed candor.InstanceObserved

	stopping chan struct{}
	asked    sync.Once
	// released: nobody wants to know of it any more. The Agent's mu guards it.
	released bool
}

// stopPatience is how much longer than its grace a stop may take before the shim is
// killed with its command.
const stopPatience = 10 * time.Second

// stop has the instance end, for good.
func (k *keeper) stop() { k.asked.Do(func() { close(k.stopping) }) }

// run keeps the instance until it is over, or ctx ends: then what runs goes on. It
// returns whether it is over.
func (k *keeper) run(ctx context.Context) (over bool) {
	pause := backoff{first: 100 * time.Millisecond, last: 10 * time.Second}
	for ctx.Err() == nil {
		var done bool
		err := guarded(func() (err error) {
			done, err = k.step(ctx)
			return err
		})
		if done {
			return true
		}
		if err == nil {
			pause.reset()
			continue
		}
		if ctx.Err() != nil {
			return false
		}
		k.log.Error("the instance is not as it should be, and is tried again", "error", err)
		k.complain(err)
		rest(ctx, pause.grow())
	}
	return false
}

// complain tells what hinders the worker, unless it is not known how the instance is.
func (k *keeper) complain(err error) {
	if k.observed.Message = err.Error(); k.observed.State == "" {
		return
	}
	if err := guarded(func() error { k.report(k.observed); return nil }); err != nil {
		k.log.Error("the instance cannot be reported", "error", err)
	}
}

// step takes the instance from where it is to its next state.
func (k *keeper) step(ctx context.Context) (done bool, err error) {
	running, record, err := shim.Attach(ctx, k.dir, k.uid)
	if err != nil {
		return false, err
	}
	if running != nil {
		return false, k.attend(ctx, running)
	}
	if record == nil || record.Run < k.order.Run {
		return k.begin(ctx, record)
	}
	return k.ended(record)
}

// begin starts the run of the order, when it is due.
func (k *keeper) begin(ctx context.Context, before *shim.Record) (done bool, err error) {
	k.observed = candor.InstanceObserved{State: candor.ProcessStarting, Session: k.session, Restarts: int32(k.order.Run - 1)}
	if before != nil {
		k.endOf(before)
		if !k.waits(ctx, before) {
			return false, nil
		}
	}
	select {
	case <-k.stopping:
		if err := k.remember(""); err != nil {
			return false, err
		}
		k.observed.State = candor.ProcessExited
		if before == nil {
			k.observed.Message = "it was stopped before it started"
		}
		k.report(k.observed)
		return true, nil
	default:
	}
	k.observed.State = candor.ProcessStarting
	k.report(k.observed)
	return false, shim.Launch(ctx, k.self, k.dir, k.order.Run)
}

// waits is until the run is due, or the instance is to end; false when ctx ended.
func (k *keeper) waits(ctx context.Context, before *shim.Record) bool {
	// The clock may have been set back since.
	delay := k.delay(before)
	wait := min(time.Until(before.EndedAt.Add(delay)), delay)
	if wait <= 0 {
		return true
	}
	k.observed.State = candor.ProcessWaiting
	k.report(k.observed)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.stopping:
	case <-ctx.Done():
		return false
	}
	return true
}

// delay is how long the next run is held back after the end of one. A policy bounds it
// after a failure: its promise is kept if the run works.
func (k *keeper) delay(before *shim.Record) time.Duration {
	d := restartDelay(k.order.Failures - 1)
	if !crashed(before) {
		return d
	}
	mode, _ := k.policies.exit(k.order.Labels)
	if promise := time.Duration(mode.RecoverWithin); promise > 0 {
		d = min(d, promise)
	}
	return max(d, time.Duration(mode.ActAfter))
}

// remember has the next worker know too that the instance is to end, and why, where that
// is not the cluster's to say.
func (k *keeper) remember(because string) error {
	if k.order.Stopping {
		return nil
	}
	last := *k.order
	last.Stopping, last.Because = true, because
	if err := k.dir.Give(&last); err != nil {
		return err
	}
	k.order = &last
	return nil
}

// ended decides what follows the end of the order's run.
func (k *keeper) ended(record *shim.Record) (done bool, err error) {
	select {
	case <-k.stopping:
		if err := k.remember(""); err != nil {
			return false, err
		}
	default:
	}
	if next(k.order, record) != nil && crashed(record) {
		if mode, from := k.policies.exit(k.order.Labels); mode.Action != candor.ActionRestart {
			if err := k.remember(fmt.Sprintf("its process failed, and failure policy %s says %s: it is not started again here", from, mode.Action)); err != nil {
				return false, err
			}
		}
	}
	if again := next(k.order, record); again != nil {
		k.log.Info("the process ended and will be started again", "exit_code", record.ExitCode, "unknown", record.Unknown, "message", record.Message, "run", again.Run)
		if err := k.dir.Give(again); err != nil {
			return false, err
		}
		k.order = again
		return false, nil
	}
	k.observed = candor.InstanceObserved{State: candor.ProcessExited, Session: k.session, Restarts: int32(k.order.Run - 1)}
	k.endOf(record)
	if why := k.order.Because; why != "" {
		k.observed.Message = strings.TrimSuffix(why+" ("+k.observed.Message+")", " ()")
	}
	k.log.Info("the process ended", "exit_code", record.ExitCode, "unknown", record.Unknown, "message", record.Message)
	k.report(k.observed)
	return true, nil
}

// endOf takes into what is observed how a run ended. Nobody knows the code of one
// that nobody saw ending.
func (k *keeper) endOf(r *shim.Record) {
	k.observed.StartedAt, k.observed.EndedAt, k.observed.Message, k.observed.PID = r.StartedAt, r.EndedAt, r.Message, 0
	if !r.Unknown {
		code := r.ExitCode
		k.observed.ExitCode = &code
	}
}

// attend looks after a run until it ends, or is to.
func (k *keeper) attend(ctx context.Context, running *shim.Running) error {
	defer running.Close()
	record := running.Record()
	k.observed = candor.InstanceObserved{
		State: candor.ProcessRunning, Session: k.session, PID: record.Command.PID, StartedAt: record.StartedAt, Restarts: int32(record.Run - 1),
		ExitCode: k.observed.ExitCode,
	}
	within, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	over := make(chan error, 2)
	all.Go(func() {
		over <- guarded(func() error {
			_, err := running.Wait(within, k.uid)
			return err
		})
	})
	probe := k.order.Template.Health
	changed := make(chan health, 1)
	if probe == nil {
		k.observed.Ready, k.observed.ReadySince = true, record.StartedAt
	} else {
		p := prober{probe: probe, order: k.order, http: k.probing} // k.order may be another later
		all.Go(func() {
			err := guarded(func() error {
				p.watch(within, func(h health) {
					select {
					case changed <- h:
					case <-within.Done():
					}
				})
				return nil
			})
			if err != nil {
				over <- err
			}
		})
	}
	k.report(k.observed)
	for {
		select {
		case err := <-over:
			return k.unless(ctx, err)
		case <-ctx.Done():
			return nil
		case h := <-changed:
			switch mode, from := k.ill(h); mode.Action {
			case candor.ActionRestart:
				if k.order.Template.Restart == candor.RestartNever {
					continue
				}
				k.log.Warn("the probe fails, and the process is started again", "since", h.failed, "policy", from, "error", h.why)
				return k.end(ctx, running, over)
			case candor.ActionReplace:
				k.log.Warn("the probe fails, and the instance is given up", "since", h.failed, "policy", from, "error", h.why)
				if err := k.remember(fmt.Sprintf("its probe failed for %s, and failure policy %s says Replace: %s", time.Since(h.failed).Round(time.Second), from, h.why)); err != nil {
					return err
				}
				return k.end(ctx, running, over)
			}
		case <-k.stopping:
			if err := k.remember(""); err != nil {
				return err
			}
			return k.end(ctx, running, over)
		}
	}
}

// unless is err, but for the end of ctx.
func (k *keeper) unless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // as it says
	}
	return err
}

// ill takes in what a probe said, and returns the failure that it amounts to and who says
// so, once it is time to act: without an Action for none.
func (k *keeper) ill(h health) (mode candor.FailureMode, from string) {
	if h.ready != k.observed.Ready || k.observed.Message != h.why {
		k.observed.Ready, k.observed.ReadySince, k.observed.Message = h.ready, time.Time{}, h.why
		if h.ready {
			k.observed.ReadySince = time.Now().UTC()
		}
		k.report(k.observed)
	}
	if h.ready {
		return candor.FailureMode{}, ""
	}
	mode, from = k.policies.probe(k.order.Labels)
	if time.Since(h.failed) < time.Duration(mode.DetectWithin)+time.Duration(mode.ActAfter) {
		return candor.FailureMode{}, ""
	}
	return mode, from
}

// end asks the run to end, and kills its shim where that takes too long.
func (k *keeper) end(ctx context.Context, running *shim.Running, over <-chan error) error {
	k.observed.State, k.observed.Ready, k.observed.ReadySince = candor.ProcessStopping, false, time.Time{}
	k.report(k.observed)
	if err := running.Stop(); err != nil {
		return err
	}
	patience := time.NewTimer(k.order.Grace() + stopPatience)
	defer patience.Stop()
	for {
		select {
		case err := <-over:
			return k.unless(ctx, err)
		case <-ctx.Done():
			return nil
		case <-patience.C:
			k.log.Error("the shim did not end its command in time, and is killed with it", "grace", k.order.Grace())
			if err := running.Kill(); err != nil {
				return err
			}
		}
	}
}
