package drill

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/lineage"
)

// Options are what a drill takes. All but Progress, Look, Machine, Version and Command
// are required.
type Options struct {
	Scenario *scenario.Scenario
	Stage    Stage
	// Seed decides what a scenario leaves open: which follower, which keys.
	Seed uint64
	// Progress is told what happens, from several goroutines; nil tells nobody.
	Progress func(Event)
	// Look is how often each server is asked what it is, for the timeline and for targets;
	// 50 ms when 0. The digests of its states are taken every twentieth time.
	Look time.Duration

	// Machine, Version and Command are for the account.
	Machine report.Machine
	Version string
	Command string
}

// Outcome is the account of a drill, and the record that it rests on.
type Outcome struct {
	Report   report.Report
	Evidence *evidence.Evidence
}

// run is one drill under way.
type run struct {
	Options
	axis     axis
	recorder *evidence.Recorder
	observer *observer
	harm     *harm
	traffic  *traffic

	// began and ended are of the load.
	began, ended time.Duration
	// unwell says why the cluster did not become well after the faults; short what kept
	// the drill from being one.
	unwell error
	short  []string
	// broken is a promise that was broken to the drill itself, early that this was so
	// before the first fault, after which there was no drill.
	broken error
	early  bool
}

// Run drills. An error says that there was no drill: a fault that the stage cannot make
// (UNIMPLEMENTED), or a cluster that was not well to begin with. Whatever comes after the
// first fault is in the account, and so is a promise that is broken before. When ctx ends, what lasts is healed, and the account
// says that the drill was interrupted.
func Run(ctx context.Context, o Options) (*Outcome, error) {
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	if o.Look <= 0 {
		o.Look = look
	}
	for i := range o.Scenario.Faults {
		if err := o.Stage.Able(&o.Scenario.Faults[i]); err != nil {
			return nil, err
		}
	}
	for name := range o.Scenario.Expect.Unchecked {
		if !slices.Contains(evidence.Names, evidence.Name(name)) {
			return nil, candor.Errorf(candor.ReasonInvalid, "expect.unchecked: there is no check %q: want one of %v", name, evidence.Names)
		}
	}
	r := &run{Options: o, axis: axis{time.Now()}, recorder: evidence.NewRecorder()}
	r.observer = newObserver(o, r.axis, r.recorder)
	r.harm = &harm{
		stage: o.Stage, axis: r.axis, scene: r.observer.scene, progress: o.Progress,
		choice: rand.New(rand.NewPCG(o.Seed, 0)),
	}
	var err error
	if r.traffic, err = newTraffic(o.Scenario, o.Stage, r.recorder, o.Seed); err != nil {
		return nil, err
	}
	return r.drill(ctx)
}

func (r *run) drill(ctx context.Context) (*Outcome, error) {
	wall := time.Now()
	observing, stop := context.WithCancel(ctx)
	var observers sync.WaitGroup
	var blind error
	observers.Go(func() { blind = r.observer.watch(observing) })
	defer observers.Wait()
	defer stop()

	switch err := r.prepare(ctx); {
	case breaks(err):
		r.broken, r.early = err, true
		r.began = r.axis.now()
		r.ended = r.began
	case err != nil:
		return nil, err
	default:
		r.suffer(ctx)
		r.close(ctx)
	}
	stop()
	observers.Wait()
	if blind != nil {
		r.short = append(r.short, "the servers could not be looked at: "+blind.Error())
	}
	if ctx.Err() != nil {
		r.short = append(r.short, "it was interrupted")
	}
	return r.account(wall)
}

// prepare waits for a cluster that is well, and makes what the traffic is about.
func (r *run) prepare(ctx context.Context) error {
	r.phase("the cluster becomes well")
	if err := becomesWell(ctx, r.Stage, patience, r.gone); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return r.traffic.prepare(ctx)
}

// breaks says that an error is a broken promise, and not one that was not kept in time.
func breaks(err error) bool {
	return err != nil && candor.ReasonOf(err).Disposition().Exit == candor.ExitViolated
}

// conflicts says the same of one that no damage to a server's disk explains.
func conflicts(err error) bool {
	return breaks(err) && candor.ReasonOf(err) != candor.ReasonDataCorrupt
}

// lacks notes what went wrong after the faults.
func (r *run) lacks(what string, err error) {
	if conflicts(err) {
		r.broken = errors.Join(r.broken, err)
		return
	}
	r.short = append(r.short, what+": "+err.Error())
}

// suffer lets the traffic run while the faults come and go, and until all is well again.
func (r *run) suffer(ctx context.Context) {
	r.phase("the traffic runs")
	loading, cancel := context.WithCancel(ctx)
	defer cancel()
	r.began = r.axis.now()
	r.harm.began = r.began
	r.traffic.begin(loading)
	lasts := time.Duration(r.Scenario.Load.For)
	faulting, stop := context.WithTimeout(ctx, lasts)
	defer stop()
	r.harm.befall(faulting, r.Scenario)
	passes(ctx, r.began+lasts-r.axis.now())
	r.phase("everything is healed: the cluster becomes well again")
	if ctx.Err() == nil {
		if r.unwell = becomesWell(ctx, r.Stage, max(lasts, patience), r.gone); conflicts(r.unwell) {
			r.broken = r.unwell
		}
	}
	passes(ctx, calm) // a little of the time in which all is well
	r.ended = r.axis.now()
	cancel()
	if err := r.traffic.end(); err != nil {
		r.lacks("the traffic ended early", err)
	}
}

// calm is for how long the traffic goes on once all is well again.
const calm = time.Second

// close reads what the checks want of the end.
func (r *run) close(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	r.phase("the end is read")
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	if err := r.traffic.finish(ctx); err != nil {
		r.lacks("the end could not be read", err)
	}
	if err := r.root(ctx); err != nil {
		r.lacks("the root's account could not be read", err)
	}
}

// root records what the root says of every duty, each server of its states, and what the
// log shows when it is run again.
func (r *run) root(ctx context.Context) error {
	k, err := r.Stage.Client()
	if err != nil {
		return err
	}
	defer func() { _ = k.Close() }() // nothing of it is to be kept
	for _, name := range r.Stage.Servers() {
		states := sampler{recorder: r.recorder}
		if err := states.take(ctx, k.Diagnostics(r.Stage.Endpoint(name))); err != nil && !r.gone(name) {
			return candor.Wrap(name, err)
		}
	}
	if err := r.retrace(ctx, k); err != nil {
		return candor.Wrap("run the log again", err)
	}
	tenures, err := k.Tenures(ctx)
	if err != nil {
		return err
	}
	for i := range tenures.Tenures {
		if err := r.lineage(ctx, k, tenures.Tenures[i].Duty); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) lineage(ctx context.Context, k *client.Client, duty string) error {
	ref, err := lineage.Ref(duty)
	if err != nil {
		return err
	}
	h, err := k.History(ctx, ref)
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return nil // nobody has held it
	}
	if err != nil {
		return err
	}
	r.recorder.Versions(ref, h, nil)
	return nil
}

// gone says whether a server ended by itself in a way that the scenario expects: nobody
// waits for it to start again.
func (r *run) gone(server string) bool {
	return slices.ContainsFunc(r.Stage.Ended(), func(e End) bool { return e.Server == server && r.expects(e) })
}

func (r *run) expects(e End) bool {
	return !e.Broken && slices.Contains(r.Scenario.Expect.Ends, string(e.Reason))
}

func (r *run) phase(what string) {
	r.Progress(Event{At: r.axis.now(), Kind: EventPhase, What: what})
}
