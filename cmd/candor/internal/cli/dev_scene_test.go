package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

func devShop() *devScene {
	ref := candor.Ref{Kind: candor.KindInstances, Namespace: "shop", Name: "web-0"}
	return &devScene{
		nodes: map[string]devNode{"w1": {phase: "Ready", session: "a.1"}, "w2": {phase: "Ready", session: "b.1"}},
		workloads: []devWorkload{{
			ref: candor.Ref{Kind: candor.KindWorkloads, Namespace: "shop", Name: "web"}, generation: 2, replicas: 1,
			status: candor.WorkloadStatus{ObservedGeneration: 2, Phase: "Available", Instances: 1, Ready: 1},
		}},
		instances: []devInstance{{
			ref: ref, workload: "web", status: candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "w1"},
			observed: candor.InstanceObserved{State: candor.ProcessRunning, Ready: true, Session: "a.1"}, told: true,
		}},
	}
}

func TestADevClusterIsAsWantedOnlyWhenItsWorkersSaySo(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*devScene)
		out    []string
		want   string
	}{
		{"all is there", func(*devScene) {}, nil, ""},
		{"a node is not ready", func(s *devScene) { s.nodes["w2"] = devNode{phase: "NotReady"} }, nil, "node w2 is NotReady"},
		{"a node that is out does not matter", func(s *devScene) { s.nodes["w2"] = devNode{phase: "NotReady"} }, []string{"w2"}, ""},
		{"something counts on a node that is out", func(*devScene) {}, []string{"w1"}, "instance/web-0 still counts on w1"},
		{"the spec is not looked at yet", func(s *devScene) { s.workloads[0].generation = 3 }, nil, "workload/web is Available: 1 of 1 ready"},
		{"what is known is old", func(s *devScene) { s.instances[0].told = false }, nil, "what is known of instance/web-0 is from before its worker started"},
		{"it is not ready", func(s *devScene) { s.instances[0].observed.Ready = false }, nil, "instance/web-0 is Running"},
		{"it has ended and nothing replaced it", func(s *devScene) {
			s.instances[0].status.Phase, s.workloads[0].status.Ready = candor.InstanceLost, 0
		}, nil, "workload/web is Available: 0 of 1 ready"},
	} {
		s := devShop()
		c.change(s)
		if got := s.missing([]string{"w1", "w2"}, c.out...); got != c.want {
			t.Errorf("%s: missing %q, want %q", c.name, got, c.want)
		}
	}
}

func TestADevClusterIsDrawnAsATree(t *testing.T) {
	want := []string{
		"nodes  w1 Ready, w2 Ready",
		"shop/web  Available, 1 of 1 ready",
		"└─ web-0     w1  Running, ready",
	}
	if diff := cmp.Diff(want, devShop().tree(output.NewPalette(false))); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestMovesAreToldOnceAndTogether(t *testing.T) {
	was := map[string]string{"node w1": "Ready", "web-0 on w1": "Placed"}
	is := map[string]string{"node w1": "Ready", "web-0 on w1": "Running, ready", "web-1 on w2": "Running, ready", "web-2": "Pending"}
	if got := strings.Join(moves(was, is), "\n"); got != "Running, ready: web-0 on w1, web-1 on w2" {
		t.Errorf("moves: %q", got)
	}
	if again := moves(is, is); len(again) != 0 {
		t.Errorf("told again: %q", again)
	}
}
