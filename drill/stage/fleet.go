package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/process"
)

// fleet is a process that plays so many worker nodes, whose names begin with its own.
type fleet struct {
	run   *process.Run
	name  string
	nodes int
}

// fleetLabel is of the nodes of fleets, by which the stage's policy selects them.
const fleetLabel = "candor-drill"

// fleetSpec is what the nodes are under: the scenario's policy, or one that gives nodes
// up sooner than the built-in one does, which allows longer than a drill takes.
func (s *Stage) fleetSpec() *candor.FailurePolicySpec {
	if given := s.options.Scenario.Cluster.Policy; given != nil && given.Kind == candor.KindNodes {
		return governing(given)
	}
	soon := candor.FailureMode{
		Failure: candor.FailureCrash, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(3 * time.Second),
		Action: candor.ActionEvict, ActAfter: candor.Duration(2 * time.Second), RecoverWithin: candor.Duration(30 * time.Second),
	}
	partition := soon
	partition.Failure = candor.FailurePartition
	return &candor.FailurePolicySpec{Kind: candor.KindNodes, Objects: fleetLabel + "=true", Modes: []candor.FailureMode{soon, partition}}
}

// governing is a policy for what has the drill's label.
func governing(given *candor.FailurePolicySpec) *candor.FailurePolicySpec {
	spec := *given
	spec.Objects = fleetLabel + "=true"
	return &spec
}

// govern makes a policy of the drill.
func (s *Stage) govern(ctx context.Context, name string, policy *candor.FailurePolicySpec) error {
	spec, err := json.Marshal(policy)
	if err != nil {
		return candor.Wrap("policy "+name, err)
	}
	return s.create(ctx, &candor.Object{APIVersion: candor.APIVersion, Kind: "FailurePolicy", Metadata: candor.Metadata{Name: name}, Spec: spec})
}

// create makes an object of the drill, which may be there.
func (s *Stage) create(ctx context.Context, o *candor.Object) error {
	var refused error
	if err := await(ctx, o.Kind+" "+o.Metadata.Name+" to be made", func(ctx context.Context) (bool, error) {
		_, err := s.own.Create(ctx, o, client.WithReason(actor, "a drill"))
		refused = nil
		if candor.ReasonOf(err) == candor.ReasonInvalid {
			refused = err
		}
		return err == nil || refused != nil || candor.ReasonOf(err) == candor.ReasonAlreadyExists, err
	}); err != nil {
		return err
	}
	return refused
}

// sizes are how many nodes go together, so that each number of nodes that is to be lost
// is that of the first few.
func sizes(c *scenario.Scenario) []int {
	var marks []int
	for _, f := range c.Faults {
		if f.Kind == scenario.LoseNodes && f.Count < c.Cluster.Nodes {
			marks = append(marks, f.Count)
		}
	}
	slices.Sort(marks)
	var out []int
	before := 0
	for _, mark := range append(slices.Compact(marks), c.Cluster.Nodes) {
		if mark > before {
			out = append(out, mark-before)
			before = mark
		}
	}
	return out
}

// populate begins the scenario's worker nodes and waits until all are there.
func (s *Stage) populate(ctx context.Context) error {
	want := s.options.Scenario.Cluster.Nodes
	if want == 0 {
		return nil
	}
	place, err := s.place("nodes")
	if err != nil {
		return err
	}
	if err := s.govern(ctx, "drill-nodes", s.fleetSpec()); err != nil {
		return err
	}
	for i, nodes := range sizes(s.options.Scenario) {
		f, err := s.crew(place, i, nodes)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.fleets = append(s.fleets, f)
		s.mu.Unlock()
	}
	return await(ctx, "every node to be ready", func(ctx context.Context) (bool, error) {
		count := 0
		for o, err := range s.own.All(ctx, candor.KindNodes, client.ListOptions{}) {
			if err != nil {
				return false, err
			}
			if ready(o) {
				count++
			}
		}
		return count >= want, nil
	})
}

// place is where processes are that serve nobody.
func (s *Stage) place(name string) (*network.Placement, error) {
	api, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	raft, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	return s.links.Place(name, api, raft)
}

func ready(o *candor.Object) bool {
	var status candor.NodeStatus
	return json.Unmarshal(o.Status, &status) == nil && status.Conditions.True(candor.ConditionReady)
}

func (s *Stage) crew(place *network.Placement, i, nodes int) (*fleet, error) {
	name := fmt.Sprintf("crew%d", i+1)
	child := exec.Command(s.options.Binary, "worker", "--simulate", strconv.Itoa(nodes), "--name", name,
		"--labels", fleetLabel+"=true", "--server", strings.Join(s.addresses(), ","))
	child.Env = append(os.Environ(), s.data.Mark.Environment())
	child.SysProcAttr = process.Lifeline()
	var run *process.Run
	err := place.Start(func() (err error) {
		run, err = process.Begin(child, filepath.Join(s.logs, name+".log"))
		return err
	})
	return &fleet{run: run, name: name, nodes: nodes}, err
}

// loseNodes stops f.Count worker nodes with SIGSTOP: to the cluster they fall silent.
// Those that it took for lost by the end are what was seen of it; of a silence that is
// shorter than counts as a failure, those that stood still.
func (s *Stage) loseNodes(ctx context.Context, f *scenario.Fault, _ []*member) (drill.Injection, error) {
	s.mu.Lock()
	all := slices.Clone(s.fleets)
	s.mu.Unlock()
	var lost []*fleet
	count := 0
	for _, each := range all {
		if count < f.Count {
			lost = append(lost, each)
			count += each.nodes
		}
	}
	for _, each := range lost {
		if err := each.run.Signal(syscall.SIGSTOP); err != nil {
			return nil, err
		}
		if err := await(ctx, "nodes to stand still", func(context.Context) (bool, error) { return each.run.Stopped(), nil }); err != nil {
			return nil, err
		}
	}
	if mode := s.fleetSpec().Silence(); mode != nil && time.Duration(f.For) < time.Duration(mode.DetectWithin) {
		return s.lasts(func() drill.Bite { return drill.Bite{Seen: count, What: "nodes stopped with SIGSTOP, for no failure"} }, wakes(s, lost)), nil
	}
	var seen atomic.Int64
	wake := wakes(s, lost)
	return s.lasts(func() drill.Bite {
		return drill.Bite{Seen: int(seen.Load()), What: "nodes stopped with SIGSTOP that the cluster took for lost"}
	}, func(ctx context.Context) error {
		seen.Store(max(seen.Load(), int64(s.silent(ctx, lost))))
		return wake(ctx)
	}), nil
}

// wakes has these fleets go on.
func wakes(s *Stage, fleets []*fleet) func(context.Context) error {
	return func(context.Context) error {
		for _, each := range fleets {
			if err := each.run.Signal(syscall.SIGCONT); err != nil && s.ctx.Err() == nil {
				return err
			}
		}
		return nil
	}
}

// silent counts the nodes of these fleets that the cluster does not take for ready.
func (s *Stage) silent(ctx context.Context, fleets []*fleet) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	count := 0
	for o, err := range s.own.All(ctx, candor.KindNodes, client.ListOptions{}) {
		if err != nil {
			return count
		}
		of := func(f *fleet) bool { return strings.HasPrefix(o.Metadata.Name, f.name+"-") }
		if slices.ContainsFunc(fleets, of) && !ready(o) {
			count++
		}
	}
	return count
}
