package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/failpoint"
	"github.com/candor-plane/candor/verify/lineage"
)

// failpointsVariable asks for every point of every duty and every kind of change: make
// failpoints. Without it each point is tried once, with what passes it most easily.
const failpointsVariable = "CANDOR_FAILPOINTS_ALL"

func everyFailpoint() bool { return os.Getenv(failpointsVariable) != "" }

// tagged is the binary with failpoints, built once, into the folder of the other.
var tagged = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "candor-failpoints")
	if out, err := exec.Command("go", "build", "-tags", "failpoints", "-o", path, "../cmd/candor").CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

// briefly is how servers with failpoints go about tenures: a crash costs less time.
var briefly = []string{"--tenure-duration", "1500ms", "--tenure-renew", "500ms"}

// failing is a cluster whose servers have failpoints, and takers at work on it.
type failing struct {
	*takers
	// met are the points at which a server was.
	met     map[string]bool
	armings int
	// gone are servers that are about to be removed, or were.
	gone map[*process]bool
}

func failingCluster(ctx context.Context, t *testing.T) *failing {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds a second server and crashes it for most of a minute: not with -short")
	}
	c := plan(t, 3, briefly...)
	for _, p := range c.servers {
		withFailpoints(t, p)
	}
	c.begin()
	f := &failing{takers: c.take(ctx, c.client()), met: map[string]bool{}, gone: map[*process]bool{}}
	f.recovers(ctx)
	return f
}

// withFailpoints has a server run the binary that has them. What its files say it reads
// again while it runs.
func withFailpoints(t *testing.T, p *process) {
	t.Helper()
	path, err := tagged()
	if err != nil {
		t.Fatal(err)
	}
	p.launch = func(args ...string) *exec.Cmd {
		child := exec.Command(path, args...)
		child.Env = append(os.Environ(), "CANDOR_FAILPOINTS=@"+p.data+".failpoints", "CANDOR_CLOCK_OFFSET=@"+p.data+".clock")
		return child
	}
}

// tell puts a text in the place of a file at once.
func tell(t *testing.T, path, text string) {
	t.Helper()
	err := os.WriteFile(path+".new", []byte(text), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// arm has points do something from now on; each time with a text of its own, so that
// hits count anew.
func (f *failing) arm(spec string, at ...*process) {
	f.t.Helper()
	f.armings++
	for _, p := range at {
		tell(f.t, p.data+".failpoints", spec+strings.Repeat(",", f.armings))
	}
}

// place is a point, of a subject if it has one, and the hit that is meant. late says that
// who crashes stays away until the others have gone on without it.
type place struct {
	point, subject, hit string
	late                bool
}

func (x place) String() string {
	out := x.point
	if x.subject != "" {
		out += "[" + x.subject + "]"
	}
	return out
}

// crash has servers crash at a place, does what leads there, and waits until one has;
// then all that crashed come back, and the cluster recovers.
func (f *failing) crash(ctx context.Context, x place, at []*process, cause func(context.Context)) {
	f.t.Helper()
	began := time.Now()
	hit := x.hit
	if hit == "" {
		hit = "1"
	}
	f.arm(x.String()+"=crash@"+hit, at...)
	causing, stop := context.WithTimeout(ctx, 15*time.Second)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		cause(causing)
	}()
	until(ctx, f.t, "INCONCLUSIVE: a crash at "+x.String(), func() bool { return slices.ContainsFunc(at, ended) })
	stop()
	<-done
	f.arm("", at...)
	var down []string
	for _, p := range at {
		if !ended(p) {
			continue
		}
		f.wantCrash(x, p)
		down = append(down, p.name)
		p.kill()
	}
	took := time.Since(began)
	if x.late {
		f.goesOnWithout(ctx, down...)
	}
	for _, p := range f.servers {
		if p.child == nil && !f.gone[p] {
			p.begin(f.t)
		}
	}
	f.recovers(ctx)
	f.t.Logf("%s@%s, late %v: %v crashed after %s, all well after %s", x, hit, x.late, down, took.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

// goesOnWithout waits until other servers than these hold every duty, and every handover
// has ended.
func (f *failing) goesOnWithout(ctx context.Context, down ...string) {
	f.t.Helper()
	for _, duty := range []string{tenure.DutyJanitor, tenure.DutyIDs, tenure.DutyTSO} {
		until(ctx, f.t, fmt.Sprintf("%s to be held by others than %v", duty, down), func() bool {
			return !slices.Contains(down, f.settled(ctx, duty).name)
		})
	}
}

// ended says that a process is gone, which nobody has taken note of yet.
func ended(p *process) bool {
	if p.child == nil {
		return false
	}
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// wantCrash wants a process to have ended at a place, by SIGKILL.
func (f *failing) wantCrash(x place, p *process) {
	f.t.Helper()
	status, ok := p.child.ProcessState.Sys().(syscall.WaitStatus)
	if said := p.said(f.t); !ok || status.Signal() != syscall.SIGKILL || !strings.Contains(said, "failpoint "+x.point+"["+x.subject) || !strings.Contains(said, "]: crash") {
		f.t.Fatalf("INCONCLUSIVE: %s ended with %v, and not at %s:\n%s", p.name, p.child.ProcessState, x, said[max(0, len(said)-2000):])
	}
	f.met[x.point] = true
}

// recovers waits until every server answers, every handover has ended, and so has every
// transition.
func (f *failing) recovers(ctx context.Context) {
	f.t.Helper()
	for _, p := range f.servers {
		if p.child != nil && !f.gone[p] {
			f.answers(ctx, f.k, p)
		}
	}
	f.settled(ctx, tenure.DutyTSO)
	var last []client.Transition
	short, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		list, err := f.k.Transitions().List(ctx, true, client.OnEndpoint(f.leader(ctx, f.k).api))
		if err == nil && len(list.Transitions) == 0 {
			return
		}
		if err == nil {
			last = list.Transitions
		}
		if !passes(short, 20*time.Millisecond) {
			f.t.Fatalf("transitions pend: %+v", last)
		}
	}
}

// verdict ends the load, and holds all answers, every lineage and every transition
// against what is promised.
func (f *failing) verdict(ctx context.Context, eras int) {
	f.t.Helper()
	f.recovers(ctx)
	f.judge(ctx, eras)
	for _, duty := range []string{tenure.DutyJanitor, tenure.DutyTopology, tenure.DutyIDs, tenure.DutyTSO} {
		ref, err := lineage.Ref(duty)
		if err != nil {
			f.t.Fatal(err)
		}
		history, err := f.k.History(ctx, ref)
		if err != nil {
			f.t.Fatal(err)
		}
		report, err := lineage.Audit(duty, history)
		if err != nil || report.Violation != nil || !report.Whole {
			f.t.Errorf("lineage of %s: %+v, %+v, %v", duty, report, report.Violation, err)
		}
	}
	list, err := f.k.Transitions().List(ctx, false)
	if err != nil {
		f.t.Fatal(err)
	}
	phases := map[string]int{}
	for _, x := range list.Transitions {
		phases[x.Kind+" "+x.Phase]++
		if !x.Ended() {
			f.t.Errorf("%+v", x)
		}
	}
	f.t.Logf("transitions: %v", phases)
}

// meets wants every point whose name begins so to have been hit.
func (f *failing) meets(prefixes ...string) {
	f.t.Helper()
	for _, p := range failpoint.Points() {
		for _, prefix := range prefixes {
			if strings.HasPrefix(p.Name, prefix) && !f.met[p.Name] {
				f.t.Errorf("no server was at %s: %s", p.Name, p.Meaning)
			}
		}
	}
}

// TestTheProductHasNoFailpoints: nothing of them is in the binary that is served with,
// and all of it is in the other.
func TestTheProductHasNoFailpoints(t *testing.T) {
	t.Parallel()
	words := []string{"CANDOR_FAILPOINTS", "CANDOR_CLOCK_OFFSET"}
	for _, p := range failpoint.Points() {
		words = append(words, p.Name)
	}
	in := func(path string) (found, missing []string) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if bytes.Contains(text, []byte(word)) {
				found = append(found, word)
			} else {
				missing = append(missing, word)
			}
		}
		return found, missing
	}
	if found, _ := in(binary); len(found) > 0 {
		t.Errorf("the product contains %q", found)
	}
	if testing.Short() {
		t.Skip("the other binary is not built with -short")
	}
	path, err := tagged()
	if err != nil {
		t.Fatal(err)
	}
	if _, missing := in(path); len(missing) > 0 {
		t.Errorf("INCONCLUSIVE: the build with failpoints does not contain %q", missing)
	}
}
