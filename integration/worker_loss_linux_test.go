package integration

import (
	"encoding/json"
	"slices"
	"syscall"
	"testing"

	"github.com/candor-plane/candor"
)

// TestAWorkerThatStandsStillIsReplacedAndStopsWhatItLost: longer than its policy allows, so
// that its instances are made anew on the other; when it goes on, what it lost ends, and
// nothing runs twice.
func TestAWorkerThatStandsStillIsReplacedAndStopsWhatItLost(t *testing.T) {
	t.Parallel()
	p := newPlant(t, 2)
	w1, w2 := p.workers[0], p.workers[1]
	if _, err := p.k.Create(p.ctx, p.sleepers(4, "one")); err != nil {
		t.Fatal(err)
	}
	first := p.run("four commands run", 4, nil)
	var lost []instance
	for _, i := range first {
		if i.status.Node == w1.name {
			lost = append(lost, i)
		}
	}
	if len(lost) == 0 {
		t.Fatal("nothing came to w1, which is to lose it")
	}

	signal(t, w1, syscall.SIGSTOP)
	p.phase(w1, "NotReady")
	until(p.ctx, t, "all run on the other node", func() bool {
		all, err := p.instances()
		return err == nil && len(all) == 4 && !slices.ContainsFunc(all, func(i instance) bool {
			return i.status.Node != w2.name || i.observed.State != candor.ProcessRunning
		})
	})
	// Nobody can end what a worker that stands still runs: it is lost, and there.
	for _, i := range lost {
		if pids := sleeping(p.dir)[i.uid]; len(pids) != 1 || pids[0] != i.observed.PID {
			t.Errorf("%s: %v, want its process %d", i.name, pids, i.observed.PID)
		}
	}

	signal(t, w1, syscall.SIGCONT)
	p.phase(w1, "Ready")
	now := p.run("what was lost has ended", 4, on(w2))
	for _, i := range lost {
		if _, there := now[i.uid]; there {
			t.Errorf("%s is lost and counts", i.name)
		}
	}
	for uid, was := range first {
		if i, stays := now[uid]; was.status.Node == w2.name && (!stays || i.observed.PID != was.observed.PID || i.observed.Restarts != 0) {
			t.Errorf("%s on the node that was well: %+v, was %+v", was.name, i.observed, was.observed)
		}
	}
}

// TestARolloutAndADrainEndThoughTheLeaderDies: the leader, and with it every duty, in the
// middle of a rollout; then a node is emptied.
func TestARolloutAndADrainEndThoughTheLeaderDies(t *testing.T) {
	t.Parallel()
	p := newPlant(t, 2)
	const replicas = 6
	if _, err := p.k.Create(p.ctx, p.sleepers(replicas, "one")); err != nil {
		t.Fatal(err)
	}
	p.run("the first version runs", replicas, nil)
	sleepers := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "sleepers"}
	if err := p.revise(sleepers, func(o *candor.Object) { o.Spec = p.sleepers(replicas, "two").Spec }); err != nil {
		t.Fatal(err)
	}
	versions := func() (out map[string]int, err error) {
		all, err := p.instances()
		out = map[string]int{}
		for _, i := range all {
			out[i.spec.Env["VERSION"]]++
		}
		return out, err
	}
	until(p.ctx, t, "a rollout in its middle", func() bool {
		n, err := versions()
		return err == nil && n["two"] > 0
	})
	if n, err := versions(); err != nil || n["one"] == 0 {
		t.Fatalf("INCONCLUSIVE: the rollout was over before the leader died: %v, %v", n, err)
	}
	old := p.leader(p.ctx, p.k)
	old.kill()
	second := func(all []instance, _ map[string][]int) bool {
		return !slices.ContainsFunc(all, func(i instance) bool { return i.spec.Env["VERSION"] != "two" })
	}
	p.run("the second version runs, and the first has ended", replicas, second)
	old.begin(t)

	w1, w2 := p.workers[0], p.workers[1]
	if err := p.revise(candor.Ref{Kind: candor.KindNodes, Name: w2.name}, func(o *candor.Object) { o.Spec = []byte(`{"drain":true}`) }); err != nil {
		t.Fatal(err)
	}
	p.phase(w2, "Drained")
	p.run("everything runs on the other node", replicas, on(w1))
	if left := shims(w2.data); len(left) != 0 {
		t.Errorf("shims %v are left on the node that was emptied", left)
	}
	until(p.ctx, t, "the workload is well", func() bool {
		o, _, err := p.k.Get(p.ctx, sleepers)
		var status candor.WorkloadStatus
		return err == nil && json.Unmarshal(o.Status, &status) == nil && status.Available == replicas && status.Updated == replicas && status.Phase == "Available"
	})
	for _, s := range p.servers {
		p.answers(p.ctx, p.k, s)
	}
	p.sameDigests(p.ctx, p.k, p.servers...)
}
