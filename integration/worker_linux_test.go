package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// roleSweeping waits until its standard input ends, which it does with the test's
// process, and ends the shims of a directory.
const roleSweeping = "sweeping"

// plant is a cluster of three servers with workers, each a process, and the commands that
// they run. Nothing of it outlives the test's process: shims do not die with their
// worker, so a sweeper waits for the end of whoever started them.
type plant struct {
	*cluster
	ctx     context.Context
	k       *client.Client
	workers []*process
}

// mark is in the environment of every command of the plant.
const mark = "PLANT"

// quick are failure policies that tests can wait for.
const quick = `{"kind":"nodes.candor","modes":[{"failure":"Partition","signal":"Heartbeat","detectWithin":"2s","action":"Evict","actAfter":"1s","recoverWithin":"30s"}]}`

func newPlant(t *testing.T, workers int) *plant {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	c := plan(t, 3)
	sweeper(t, c.dir)
	c.begin()
	p := &plant{cluster: c, ctx: ctx, k: c.client()}
	p.leader(ctx, p.k)
	until(ctx, t, "a quick failure policy", func() bool {
		return p.revise(candor.Ref{Kind: candor.KindFailurePolicies, Name: "default-nodes"}, func(o *candor.Object) { o.Spec = []byte(quick) }) == nil
	})
	for i := range workers {
		w := newProcess(t, c.dir, fmt.Sprintf("w%d", i+1))
		w.launch = func(...string) *exec.Cmd {
			return exec.Command(binary, "worker", "--name", w.name, "--data-dir", w.data, "--server", strings.Join(c.addresses(), ","), "--cpu", "8", "--memory", "1Gi")
		}
		p.workers = append(p.workers, w)
		w.begin(t)
	}
	for _, w := range p.workers {
		p.phase(w, "Ready")
	}
	return p
}

// sweeper ends the shims below the directory when the test ends, however it does.
func sweeper(t *testing.T, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, dir)
	child.Env = append(os.Environ(), roleVariable+"="+roleSweeping)
	child.Stdin = reading
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // what is sent to the test's group is not for it
	if err := errors.Join(child.Start(), reading.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = writing.Close()
		if err := child.Wait(); err != nil {
			t.Errorf("the sweeper: %v", err)
		}
		if left := sleeping(dir); len(left) > 0 {
			t.Errorf("commands are left behind: %v", left)
		}
	})
}

// sweep is the sweeper's whole work: what a shim runs dies with it.
func sweep(args []string) error {
	if len(args) != 1 || !filepath.IsAbs(args[0]) {
		return fmt.Errorf("want a directory: %q", args)
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	// Workers end with the test's process too; one that is on its way may still start a shim.
	for quiet := 0; quiet < 10; quiet++ {
		for _, pid := range slices.Concat(shims(args[0]), slices.Concat(slices.Collect(maps.Values(sleeping(args[0])))...)) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			quiet = 0
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// processes calls yield for each process that there is, with what a file of it in /proc
// lists.
func processes(file string, yield func(pid int, words []string)) {
	paths, _ := filepath.Glob("/proc/[0-9]*/" + file)
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if text, err := os.ReadFile(path); err == nil {
			yield(pid, strings.Split(string(text), "\x00"))
		}
	}
}

func shims(dir string) (pids []int) {
	processes("cmdline", func(pid int, args []string) {
		if len(args) > 2 && args[1] == "worker-shim" && strings.HasPrefix(args[2], dir+"/") {
			pids = append(pids, pid)
		}
	})
	return pids
}

// sleeping are the processes of instances of the plant in the directory, by the UID of
// their instance.
func sleeping(dir string) map[string][]int {
	out := map[string][]int{}
	processes("environ", func(pid int, environ []string) {
		if !slices.Contains(environ, mark+"="+dir) {
			return
		}
		at := slices.IndexFunc(environ, func(e string) bool { return strings.HasPrefix(e, "CANDOR_INSTANCE_UID=") })
		if at >= 0 {
			uid := strings.TrimPrefix(environ[at], "CANDOR_INSTANCE_UID=")
			out[uid] = append(out[uid], pid)
		}
	})
	return out
}

// revise changes an object, again while somebody else is first.
func (p *plant) revise(ref candor.Ref, change func(o *candor.Object)) error {
	for {
		o, _, err := p.k.Get(p.ctx, ref)
		if err != nil {
			return err
		}
		asked := *o
		asked.Status, asked.Observed = nil, nil
		change(&asked)
		if _, err = p.k.Update(p.ctx, &asked); candor.ReasonOf(err) != candor.ReasonConflict {
			return err
		}
	}
}

// phase waits until the node of a worker is in it.
func (p *plant) phase(w *process, phase string) {
	p.t.Helper()
	until(p.ctx, p.t, "node "+w.name+" is "+phase, func() bool {
		o, _, err := p.k.Get(p.ctx, candor.Ref{Kind: candor.KindNodes, Name: w.name})
		var status candor.NodeStatus
		return err == nil && json.Unmarshal(o.Status, &status) == nil && status.Phase == phase
	})
}

// again starts a worker that was killed, and waits until its node is its own again.
func (p *plant) again(w *process) {
	p.t.Helper()
	session := func() string {
		o, _, err := p.k.Get(p.ctx, candor.Ref{Kind: candor.KindNodes, Name: w.name})
		var observed candor.NodeObserved
		if err != nil || json.Unmarshal(o.Observed, &observed) != nil {
			return ""
		}
		return observed.Session
	}
	before := session()
	w.begin(p.t)
	until(p.ctx, p.t, w.name+" has its node again", func() bool {
		now := session()
		return now != "" && now != before
	})
	p.phase(w, "Ready")
}

// sleepers is a workload of commands that do nothing, in a version of their own.
func (p *plant) sleepers(replicas int, version string) *candor.Object {
	spec, err := json.Marshal(map[string]any{
		"replicas": replicas, "update": map[string]any{"maxSurge": 1, "maxUnavailable": 1},
		"template": map[string]any{
			"command": []string{"sleep", "600"}, "env": map[string]string{mark: p.dir, "VERSION": version}, "graceSeconds": 1,
			"resources": map[string]string{"cpu": "500m"},
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return &candor.Object{APIVersion: candor.APIVersion, Kind: "Workload", Metadata: candor.Metadata{Namespace: "default", Name: "sleepers"}, Spec: spec}
}

// instance is one, as the cluster knows it.
type instance struct {
	name, uid string
	spec      candor.InstanceSpec
	status    candor.InstanceStatus
	observed  candor.InstanceObserved
}

// instances are all that have not ended.
func (p *plant) instances() (all []instance, err error) {
	for o, err := range p.k.All(p.ctx, candor.KindInstances, client.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		i := instance{name: o.Metadata.Name, uid: o.Metadata.UID}
		if err := json.Unmarshal(o.Spec, &i.spec); err != nil {
			return nil, err
		}
		for _, part := range []struct {
			text []byte
			into any
		}{{o.Status, &i.status}, {o.Observed, &i.observed}} {
			if len(part.text) == 0 {
				continue
			}
			if err := json.Unmarshal(part.text, part.into); err != nil {
				return nil, err
			}
		}
		if !i.status.Phase.Ended() {
			all = append(all, i)
		}
	}
	return all, nil
}

// run waits until so many instances run and no other lives, and each is one process of
// this machine and no other process is. The condition is about all of them, beside.
func (p *plant) run(what string, n int, also func(all []instance, pids map[string][]int) bool) map[string]instance {
	p.t.Helper()
	out := map[string]instance{}
	var seen string
	ctx, cancel := context.WithTimeout(p.ctx, 25*time.Second)
	defer cancel()
	for {
		all, err := p.instances()
		pids := sleeping(p.dir)
		clear(out)
		good := err == nil && len(all) == n && len(pids) == n
		for _, i := range all {
			good = good && i.observed.State == candor.ProcessRunning && slices.Equal(pids[i.uid], []int{i.observed.PID})
			out[i.uid] = i
		}
		if good && (also == nil || also(all, pids)) {
			return out
		}
		seen = fmt.Sprintf("%v, processes %v, %v", all, pids, err)
		if ctx.Err() != nil {
			p.t.Fatalf("%s: not in time: %s", what, seen)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// on says that all instances are on one worker's node.
func on(w *process) func([]instance, map[string][]int) bool {
	return func(all []instance, _ map[string][]int) bool {
		return !slices.ContainsFunc(all, func(i instance) bool { return i.status.Node != w.name })
	}
}

func kills(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
}
