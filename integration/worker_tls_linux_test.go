package integration

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestAWorkerWithACertificateRunsItsNodeAndSpeaksForNoOther, in a cluster with TLS and
// access control; and what it runs outlives its orderly end.
func TestAWorkerWithACertificateRunsItsNodeAndSpeaksForNoOther(t *testing.T) {
	t.Parallel()
	g := guard(t, 90*time.Second)
	sweeper(t, g.dir)
	g.issue(candor.PartyWorker, "w1", "w2")
	p := &plant{cluster: g.cluster, ctx: g.ctx, k: g.root}
	worker := func(name, certificate, data string) *process {
		w := newProcess(t, g.dir, data)
		w.launch = func(...string) *exec.Cmd {
			args := []string{"worker", "--name", name, "--data-dir", w.data, "--server", strings.Join(g.addresses(), ","), "--cpu", "8", "--memory", "1Gi"}
			return exec.Command(binary, append(args, tlsFlags(g.files(certificate))...)...)
		}
		w.begin(t)
		return w
	}
	for _, name := range []string{"w1", "w2"} {
		p.workers = append(p.workers, worker(name, name, name))
	}
	for _, w := range p.workers {
		p.phase(w, "Ready")
	}
	w1, w2 := p.workers[0], p.workers[1]
	if _, err := p.k.Create(p.ctx, p.sleepers(4, "one")); err != nil {
		t.Fatal(err)
	}
	first := p.run("four commands run", 4, func(all []instance, _ map[string][]int) bool { return !on(w1)(all, nil) && !on(w2)(all, nil) })

	worker("w2", "w1", "pretender").endsWith(t, candor.ReasonForbidden, "worker/w1", "w2")
	pretender := g.as("w1")
	node, _, err := pretender.Get(p.ctx, candor.Ref{Kind: candor.KindNodes, Name: w2.name})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range first {
		if i.status.Node != w2.name {
			continue
		}
		_, err := pretender.Observe(p.ctx, candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: i.name}, []byte(`{"state":"Exited"}`), client.WithPreconditions(0, i.uid))
		if candor.ReasonOf(err) != candor.ReasonForbidden {
			t.Errorf("w1 tells of %s, which is placed on w2: %v", i.name, err)
		}
	}
	if _, err := pretender.Heartbeat(p.ctx, []client.Beat{{Node: w2.name, UID: node.Metadata.UID, Session: "w1"}}); candor.ReasonOf(err) != candor.ReasonForbidden {
		t.Errorf("w1 beats for w2: %v", err)
	}
	if _, err := pretender.Delete(p.ctx, candor.Ref{Kind: candor.KindNodes, Name: w1.name}); candor.ReasonOf(err) != candor.ReasonForbidden {
		t.Errorf("w1 removes a node: %v", err)
	}

	before := sleeping(p.dir)
	w1.stop(t)
	if now := sleeping(p.dir); !maps.EqualFunc(before, now, slices.Equal[[]int]) {
		t.Errorf("commands %v, and before their worker was ended %v", now, before)
	}
	p.again(w1)
	p.run("what ran under the worker that was ended is found", 4, func(all []instance, _ map[string][]int) bool {
		return !slices.ContainsFunc(all, func(i instance) bool { return i.observed.PID != first[i.uid].observed.PID || i.observed.Restarts != 0 })
	})
	for _, w := range p.workers {
		if said := w.said(t); strings.Contains(said, "may not be read") || strings.Contains(said, "PermissionDenied") || strings.Contains(said, string(candor.ReasonForbidden)) {
			t.Errorf("%s lacks a right:\n%s", w.name, said)
		}
	}
}
