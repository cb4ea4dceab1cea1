package stage

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/scenario"
)

// scene is a stage with traffic on it.
type scene struct {
	*Stage
	t   *testing.T
	ctx context.Context
	k   *client.Client
	// acked are writes that were acknowledged.
	acked atomic.Int64
}

// within is how long a test may take.
const within = 50 * time.Second

func self(t *testing.T) []string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{path, ChildArgument}
}

// begin begins a stage for these faults, and a writer. Its end wants no process of it
// to be left, and nobody broken.
func begin(t *testing.T, c scenario.Cluster, layer network.Layer, faults ...scenario.Fault) *scene {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	t.Cleanup(cancel)
	if c.Servers == 0 {
		c.Servers = 3
	}
	s, err := New(ctx, Options{
		Binary: binary, Previous: binary, Scenario: &scenario.Scenario{Name: "test", Cluster: c, Faults: faults},
		Child: self(t), Layer: layer, Seed: 1, Logger: hclog.NewNullLogger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	x := &scene{Stage: s, t: t, ctx: ctx}
	t.Cleanup(x.closes)
	if x.k, err = s.Client(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.k.Close() })
	writing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; sleep(writing, 5*time.Millisecond); i++ {
			short, cancel := context.WithTimeout(writing, time.Second)
			o := &candor.Object{
				APIVersion: "candor/v1", Kind: "Namespace", Metadata: candor.Metadata{Name: fmt.Sprintf("w%d", i), Annotations: map[string]string{"pad": strings.Repeat("x", 300)}},
				Spec: []byte("{}"),
			}
			if _, err := x.k.Create(short, o); err == nil {
				x.acked.Add(1)
			}
			cancel()
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return x
}

// closes ends the stage and wants nothing of it to be left.
func (x *scene) closes() {
	x.t.Helper()
	for _, e := range x.Ended() {
		if e.Broken {
			x.t.Errorf("%+v", e)
		}
	}
	if x.t.Failed() {
		for _, m := range x.everyone() {
			if run := m.latest(); run != nil {
				said, _ := run.Said()
				x.t.Logf("%s: %s", m.name(), said[max(0, len(said)-600):])
			}
		}
	}
	dir := x.data.Path
	if err := x.Close(); err != nil {
		x.t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		x.t.Errorf("%s is left", dir)
	}
	if left := processesOf(dir); len(left) > 0 {
		x.t.Errorf("processes are left: %v", left)
	}
	if left := commandsOf(os.Getpid()); x.options.Scenario.Cluster.Workers > 0 && len(left) > 0 {
		x.t.Errorf("commands of instances are left: %v", left)
	}
}

// commandsOf are what workers of the drill of that process run.
func commandsOf(owner int) []string {
	var out []string
	all, _ := os.ReadDir("/proc")
	for _, e := range all {
		environment, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err == nil && strings.Contains(string(environment), "CANDOR_INSTANCE_UID=") && strings.Contains(string(environment), fmt.Sprintf(`CANDOR_DRILL={"owner":%d,`, owner)) {
			out = append(out, e.Name())
		}
	}
	return out
}

// processesOf are those whose command line has a text.
func processesOf(text string) []string {
	var out []string
	all, _ := os.ReadDir("/proc")
	for _, e := range all {
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && strings.Contains(string(line), text) {
			out = append(out, e.Name()+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return out
}

// leads is the leader's name.
func (x *scene) leads() string {
	x.t.Helper()
	m, err := x.awaitLeader(x.ctx)
	if err != nil {
		x.t.Fatal(err)
	}
	return m.name()
}

// follower is the name of one that does not lead.
func (x *scene) follower() string {
	x.t.Helper()
	leader := x.leads()
	for _, name := range x.Servers() {
		if name != leader {
			return name
		}
	}
	x.t.Fatal("there is no follower")
	return ""
}

// inject begins a fault that this machine can make.
func (x *scene) inject(f scenario.Fault, targets ...string) drill.Injection {
	x.t.Helper()
	if err := x.Able(&f); candor.ReasonOf(err) == candor.ReasonUnimplemented {
		x.t.Skipf("SKIPPED, %s is not tested: %v", f.Kind, err)
	} else if err != nil {
		x.t.Fatal(err)
	}
	began := time.Now()
	i, err := x.Inject(x.ctx, &f, targets)
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Logf("%s %v: there after %s", f.Kind, targets, time.Since(began).Round(time.Millisecond))
	return i
}

// bites waits until a fault was seen to bite.
func (x *scene) bites(i drill.Injection) {
	x.t.Helper()
	if err := await(x.ctx, "a bite", func(context.Context) (bool, error) { return i.Bite().Seen > 0, nil }); err != nil {
		x.t.Fatal(err)
	}
}

// heals ends a fault and wants the cluster to be well.
func (x *scene) heals(i drill.Injection) {
	x.t.Helper()
	began := time.Now()
	if err := i.Heal(x.ctx); err != nil {
		x.t.Fatal(err)
	}
	x.t.Logf("%d %s; gone after %s", i.Bite().Seen, i.Bite().What, time.Since(began).Round(time.Millisecond))
	x.isWell()
}

func (x *scene) isWell() {
	x.t.Helper()
	for _, m := range x.current() {
		if err := x.well(x.ctx, m); err != nil {
			x.t.Fatal(err)
		}
	}
	x.goesOn()
}

// goesOn waits for more acknowledged writes.
func (x *scene) goesOn() {
	x.t.Helper()
	want := x.acked.Load() + 10
	if err := await(x.ctx, "more writes", func(context.Context) (bool, error) { return x.acked.Load() >= want, nil }); err != nil {
		x.t.Fatal(err)
	}
}

// wantEnded wants the ends that nobody asked for to tell these reasons.
func (x *scene) wantEnded(reasons ...candor.Reason) {
	x.t.Helper()
	var have []candor.Reason
	for _, e := range x.Ended() {
		have = append(have, e.Reason)
	}
	if fmt.Sprint(have) != fmt.Sprint(reasons) {
		x.t.Errorf("ended %v, want %v: %+v", have, reasons, x.Ended())
	}
}

const second = scenario.Duration(time.Second)
