package stage

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
)

// TestInstancesFailAsMuchAsIsAsked: processes are killed, and their workers start others;
// probes fail until they are healed, or the process is another.
func TestInstancesFailAsMuchAsIsAsked(t *testing.T) {
	end, fail := scenario.Fault{Kind: scenario.EndInstances, Count: 3}, scenario.Fault{Kind: scenario.FailProbes, Count: 2, For: second}
	x := begin(t, scenario.Cluster{Workers: 2}, "", end, fail)
	for _, f := range []scenario.Fault{{Kind: scenario.EndInstances, Count: 5}, {Kind: scenario.FailProbes, Count: 5, For: second}} {
		if err := x.Able(&f); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s of 5 of 4: %v, want INVALID", f.Kind, err)
		}
	}
	before := x.pids()
	i := x.inject(end)
	if seen, befell := i.Bite().Seen, x.befell(i); seen != 3 || len(befell) != 3 {
		t.Errorf("%d ended: %v", seen, befell)
	}
	x.whole()
	for uid, pid := range x.pids() {
		if x.befell(i)[uid] == (before[uid] == pid) {
			t.Errorf("instance %s: process %d, and before %d; befallen: %v", uid, pid, before[uid], x.befell(i))
		}
	}
	for _, ends := range []bool{false, true} {
		i = x.inject(fail)
		if err := await(x.ctx, "both probes to fail", func(ctx context.Context) (bool, error) {
			well, err := x.settled(ctx)
			return i.Bite().Seen == 2 && len(well) == 2, err
		}); err != nil {
			t.Fatal(err)
		}
		for uid := range x.befell(i) {
			for _, well := range x.must(x.settled(x.ctx)) {
				if well.uid == uid {
					t.Errorf("the probe of %s is to fail, and it is ready", uid)
				}
			}
			if ends {
				if was, err := endProcess(x.ctx, resident{name: uid, uid: uid, pid: x.pids()[uid]}); err != nil || !was {
					t.Errorf("end what fails: %t, %v", was, err)
				}
			}
		}
		if !ends {
			x.heals(i)
		}
		x.whole()
		if seen := i.Bite().Seen; seen != 2 {
			t.Errorf("%d probes failed, want 2", seen)
		}
	}
	x.wantEnded()
}

// whole waits until the drill's own instances are.
func (x *scene) whole() {
	x.t.Helper()
	if err := await(x.ctx, "all instances to be well", func(ctx context.Context) (bool, error) {
		well, err := x.settled(ctx)
		return len(well) == x.options.Scenario.Cluster.Residents(), err
	}); err != nil {
		x.t.Fatal(err)
	}
}

func (x *scene) must(all []resident, err error) []resident {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
	return all
}

// pids are the processes of the drill's own instances, by UID, ready or not.
func (x *scene) pids() map[string]int {
	x.t.Helper()
	out := map[string]int{}
	for o, err := range x.k.All(x.ctx, candor.KindInstances, client.ListOptions{Namespace: drill.ResidentsNamespace}) {
		if err != nil {
			x.t.Fatal(err)
		}
		var observed candor.InstanceObserved
		if err := json.Unmarshal(o.Observed, &observed); err != nil {
			x.t.Fatal(err)
		}
		out[o.Metadata.UID] = observed.PID
	}
	return out
}

func (x *scene) befell(i drill.Injection) map[string]bool {
	x.t.Helper()
	of, is := i.(drill.Befalling)
	if !is {
		x.t.Fatal("it does not say what it befell")
	}
	out := map[string]bool{}
	for _, b := range of.Befell() {
		out[b.UID] = true
	}
	return out
}
