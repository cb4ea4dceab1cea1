package servertest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/worker"
	"github.com/candor-plane/candor/worker/fleet"
)

// crew is simulated worker nodes whose names begin with its own, on a machine of their own.
type crew struct {
	name  string
	nodes int
}

// fleetLabel is of the nodes of crews, by which the stage's policy selects them.
const fleetLabel = "candor-drill"

// fleetSpec is what the nodes are under: the scenario's policy, or one that gives nodes up
// sooner than the built-in one does, which allows longer than most drills take.
func fleetSpec(c *scenario.Cluster) candor.FailurePolicySpec {
	spec := candor.FailurePolicySpec{Kind: candor.KindNodes}
	if c.Policy != nil {
		spec = *c.Policy
	} else {
		for _, failure := range []candor.Failure{candor.FailureCrash, candor.FailurePartition} {
			spec.Modes = append(spec.Modes, candor.FailureMode{
				Failure: failure, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(3 * time.Second),
				Action: candor.ActionEvict, ActAfter: candor.Duration(2 * time.Second), RecoverWithin: candor.Duration(30 * time.Second),
			})
		}
	}
	spec.Objects = fleetLabel + "=true"
	return spec
}

// crews are how many nodes go together, so that each number of nodes that is to be lost
// is that of the first few.
func crews(s *scenario.Scenario) (out []crew) {
	var marks []int
	for _, f := range s.Faults {
		if f.Kind == scenario.LoseNodes {
			marks = append(marks, min(f.Count, s.Cluster.Nodes))
		}
	}
	marks = append(marks, s.Cluster.Nodes)
	slices.Sort(marks)
	before := 0
	for _, mark := range slices.Compact(marks) {
		if mark > before {
			out = append(out, crew{fmt.Sprintf("crew%d", len(out)+1), mark - before})
			before = mark
		}
	}
	return out
}

// populate begins the scenario's worker nodes, waits until all are ready, and ends them
// with the test.
func (st *Stage) populate(t testing.TB, s *scenario.Scenario) {
	t.Helper()
	if s.Cluster.Nodes == 0 {
		return
	}
	ctx, cancel := context.WithCancel(st.ctx)
	var running sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	spec, err := json.Marshal(fleetSpec(&s.Cluster))
	st.c.must(err)
	k, err := st.Client()
	st.c.must(err)
	defer func() { _ = k.Close() }()
	_, err = k.Create(ctx, &candor.Object{
		APIVersion: candor.APIVersion, Kind: "FailurePolicy", Metadata: candor.Metadata{Name: "drill-nodes"}, Spec: spec,
	})
	st.c.must(err)
	st.crews = crews(s)
	for _, one := range st.crews {
		machine, err := client.New(client.Config{Endpoints: st.Servers(), Actor: one.name, Dialer: func(ctx context.Context, to string) (net.Conn, error) {
			return st.c.network.dial(ctx, one.name, to)
		}})
		st.c.must(err)
		nodes, err := fleet.New(fleet.Config{
			Count: one.nodes, Prefix: one.name, Labels: map[string]string{fleetLabel: "true"},
			Nodes: machine, Instances: worker.Over(machine), Deleter: machine, Logger: hclog.NewNullLogger(),
		})
		st.c.must(err)
		running.Go(func() {
			// What it says at its end is of no interest: the cluster tells what became of it.
			_ = nodes.Run(ctx)
			_ = machine.Close()
		})
	}
	within, stop := context.WithTimeout(ctx, patience)
	defer stop()
	st.c.must(until(within, func() bool {
		alive := looksAlive(within, k)
		maps.DeleteFunc(alive, func(_ string, is bool) bool { return !is })
		return len(alive) >= s.Cluster.Nodes
	}))
}

// looksAlive says of every node whether the cluster takes it for alive.
func looksAlive(ctx context.Context, k *client.Client) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	alive := map[string]bool{}
	for o, err := range k.All(ctx, candor.KindNodes, client.ListOptions{}) {
		var status candor.NodeStatus
		if err == nil && json.Unmarshal(o.Status, &status) == nil {
			alive[o.Metadata.Name] = status.Conditions.True(candor.ConditionReady)
		}
	}
	return alive
}

// losesNodes cuts the first few crews off: to the cluster their nodes fall silent. Those
// that it took for lost by the end are what was seen of it; of a silence that is shorter
// than counts as a failure, the messages lost.
func (st *Stage) losesNodes(_ context.Context, f *scenario.Fault, _ []string) (injection, error) {
	var ways [][2]string
	var lost []string
	count := 0
	for _, one := range st.crews {
		if count >= f.Count {
			break
		}
		count += one.nodes
		lost = append(lost, one.name+"-")
		for i := range most {
			ways = append(ways, [2]string{one.name, nameOf(i)}, [2]string{nameOf(i), one.name})
		}
	}
	if mode := st.policy.Silence(); mode != nil && time.Duration(f.For) < time.Duration(mode.DetectWithin) {
		return st.shut("messages of nodes lost, for no failure", ways), nil
	}
	k, err := st.Client()
	if err != nil {
		return injection{}, err
	}
	cut := st.shut("messages of nodes lost", ways)
	var seen atomic.Int64
	var once sync.Once
	return injection{
		what: "nodes cut off that the cluster took for lost",
		seen: func() int { return int(seen.Load()) },
		heal: func(ctx context.Context) error {
			once.Do(func() {
				for name, alive := range looksAlive(ctx, k) {
					if !alive && slices.ContainsFunc(lost, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
						seen.Add(1)
					}
				}
				_ = k.Close() // nothing of it is to be kept
			})
			return cut.heal(ctx)
		},
	}, nil
}
