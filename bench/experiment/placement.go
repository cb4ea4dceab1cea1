package experiment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

// Fleet is how many nodes there are, and how many instances are wanted on them, by
// workloads of so many replicas.
type Fleet struct{ Nodes, Instances, Replicas int }

func (f Fleet) String() string { return fmt.Sprintf("%dx%d", f.Nodes, f.Instances) }

const (
	// placementPatience is how long all instances may take to run.
	placementPatience = 10 * time.Minute
	// rest is how long what was started is left alone before it is taken for idle.
	rest = 5 * time.Second
)

var (
	placementMetrics = []Metric{
		{Name: "rate", Unit: "inst/s", Better: Higher},
		{Name: "ready-rate", Unit: "inst/s", Better: Higher},
		{Name: "placed-p50", Unit: "s", Better: Lower},
		{Name: "placed-p99", Unit: "s", Better: Lower},
		{Name: "running-p50", Unit: "s", Better: Lower},
		{Name: "running-p99", Unit: "s", Better: Lower},
		{Name: "cpu", Unit: "µs/inst", Better: Lower},
		{Name: "fleet-cpu", Unit: "µs/inst", Better: Lower},
		{Name: "versions", Unit: "/inst", Better: Lower},
		{Name: "rss", Unit: "MiB", Better: Lower},
		{Name: "idle-cpu", Unit: "% core", Better: Lower},
	}
	drainMetrics = []Metric{
		{Name: "time", Unit: "s", Better: Lower},
		{Name: "rate", Unit: "inst/s", Better: Higher},
		{Name: "cpu", Unit: "µs/inst", Better: Lower},
	}
)

// placements are instances that are wanted, placed, run and moved: Candor alone.
func placements(p Plan) []Experiment {
	on := func(name string) Stage { return Stage{Name: name, Alone: true, Beside: Nobody} }
	var all []Experiment
	for _, fleet := range p.Fleets {
		all = append(all, Experiment{
			Name: "placement/" + fleet.String(), Stage: on("placement"), Rounds: p.PlacementRounds,
			Metrics: placementMetrics, Measure: func(ctx context.Context, s *Subject) (Values, error) {
				return s.orchestrated(ctx, fleet, s.place)
			},
		})
	}
	return append(all, Experiment{
		Name: fmt.Sprintf("drain/%d", p.Drained), Stage: on("drain"), Rounds: p.PlacementRounds,
		Metrics: drainMetrics, Measure: func(ctx context.Context, s *Subject) (Values, error) {
			return s.orchestrated(ctx, p.Fleets[0], s.drain)
		},
	})
}

// work is a fleet that is played, and what is seen of its instances.
type work struct {
	system.Orchestrator
	fleet Fleet
	nodes *process.Child
	crowd *crowd
}

// orchestrated measures with a fleet, which is ended afterwards: only then its time is
// known to the meter as the benchmark's own.
func (s *Subject) orchestrated(ctx context.Context, fleet Fleet, measure func(context.Context, *work) (Values, error)) (values Values, err error) {
	cluster, ok := s.Cluster.(system.Orchestrator)
	if !ok {
		return nil, errors.New("this system places nothing")
	}
	nodes, err := cluster.Play(ctx, fleet.Nodes)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, nodes.Kill()) }()
	w := &work{Orchestrator: cluster, fleet: fleet, nodes: nodes, crowd: newCrowd()}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, followed := make(chan struct{}), make(chan error, 1)
	go func() {
		followed <- cluster.Follow(ctx, func() { close(ready) }, func(i system.Instance) { w.crowd.see(i, time.Now()) })
	}()
	defer func() {
		cancel()
		err = errors.Join(err, <-followed)
	}()
	select {
	case <-ready:
	case err := <-followed:
		followed <- nil
		return nil, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return measure(ctx, w)
}

// place has all instances wanted at once, until the last of them is ready.
func (s *Subject) place(ctx context.Context, w *work) (Values, error) {
	before, err := s.spent(w)
	if err != nil {
		return nil, err
	}
	ready, begun, err := s.start(ctx, w)
	if err != nil {
		return nil, err
	}
	after, err := s.spent(w)
	if err != nil {
		return nil, err
	}
	count := float64(w.fleet.Instances)
	values := w.crowd.values()
	values["rate"] = count / w.crowd.lastRunning().Sub(begun).Seconds()
	values["ready-rate"] = count / ready.Sub(begun).Seconds()
	values["cpu"] = float64((after.servers - before.servers).Microseconds()) / count
	values["fleet-cpu"] = float64((after.fleet - before.fleet).Microseconds()) / count
	if values["rss"], err = s.largest(); err != nil {
		return nil, err
	}
	if err := pause(ctx, min(rest, s.Plan.Settle)); err != nil {
		return nil, err
	}
	idle, err := idleCluster(ctx, s)
	values["idle-cpu"] = idle["cpu"]
	return values, err
}

// start has the fleet's instances wanted, and says when the last of them was ready.
func (s *Subject) start(ctx context.Context, w *work) (ready, begun time.Time, err error) {
	begun = time.Now()
	if err := w.Want(ctx, w.fleet.Instances/w.fleet.Replicas, w.fleet.Replicas); err != nil {
		return ready, begun, err
	}
	ready, err = w.crowd.await(ctx, w.fleet.Instances, placementPatience)
	return ready, begun, err
}

// drain empties nodes, until as many instances as before are ready elsewhere.
func (s *Subject) drain(ctx context.Context, w *work) (Values, error) {
	if _, _, err := s.start(ctx, w); err != nil {
		return nil, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	before, err := s.spent(w)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	moved := w.crowd.avoid(func(node string) bool { return w.First(node, s.Plan.Drained) })
	if err := w.Drain(ctx, s.Plan.Drained); err != nil {
		return nil, err
	}
	ready, err := w.crowd.await(ctx, w.fleet.Instances, placementPatience)
	if err != nil {
		return nil, err
	}
	after, err := s.spent(w)
	if err != nil {
		return nil, err
	}
	took := ready.Sub(begun).Seconds()
	return Values{
		"time": took, "rate": float64(moved) / took,
		"cpu": float64((after.servers - before.servers).Microseconds()) / float64(moved),
	}, nil
}

// spent is CPU time, the servers' and the fleet's apart.
type spent struct{ servers, fleet time.Duration }

func (s *Subject) spent(w *work) (spent, error) {
	servers, _, err := s.Cluster.Processes().CPU()
	if err != nil {
		return spent{}, err
	}
	fleet, err := w.nodes.CPU()
	return spent{servers: servers, fleet: fleet}, err
}

// largest is the memory of the member that has most: the holder of the duties, with a
// copy of its own.
func (s *Subject) largest() (float64, error) {
	group := s.Cluster.Processes()
	most := int64(0)
	for i := range group.Size() {
		m, err := group.Member(i).Memory()
		if err != nil {
			return 0, fmt.Errorf("member %d: %w", i, err)
		}
		most = max(most, m.Resident)
	}
	return mebibytes(most), nil
}
