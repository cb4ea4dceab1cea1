//go:build linux

package worker

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker/shim"
)

func order(failures int) *shim.Order { return &shim.Order{Run: failures + 1, Failures: failures} }

func endedAt(at time.Time, code int32) shim.Record {
	return shim.Record{Run: 1, State: shim.StateEnded, StartedAt: at, EndedAt: at.Add(time.Second), ExitCode: code}
}

// TestWhoFindsItsNodeAnothersEndsWhatItResumedAndWaits: the other one runs it, from a
// directory of its own.
func TestWhoFindsItsNodeAnothersEndsWhatItResumedAndWaits(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`trap 'sleep 0.1; exit 0' TERM; while :; do sleep 0.01; done`))
	running := s.untilState(uid, candor.ProcessRunning)
	s.kill()
	told := len(s.cluster.history(uid))
	var free atomic.Bool
	var asked, alivePID atomic.Int32
	s.cluster.refuseNode = func(client.NodeRegistration) *candor.Error {
		if free.Load() {
			return nil
		}
		if asked.Add(1) > 1 && alive(running.PID) {
			alivePID.Store(int32(running.PID))
		}
		return candor.Errorf(candor.ReasonNodeHeld, "another worker has node w1")
	}
	s.cluster.setAway(true)
	s.start()
	s.until("it goes on while nobody answers", func() bool { return s.agent.knowsOf(uid) })
	if !alive(running.PID) {
		t.Error("it was ended before anybody had said that the node is another's")
	}
	s.cluster.setAway(false)
	s.until("it asks again", func() bool { return asked.Load() > 1 })
	if pid := alivePID.Load(); pid != 0 {
		t.Errorf("process %d was alive when the worker asked again", pid)
	}
	if now := s.cluster.history(uid); len(now) != told {
		t.Errorf("it was told of another's instance: %+v", now[told:])
	}
	// The other one is silent: what it had is this one's, and has ended here.
	free.Store(true)
	if last := s.untilState(uid, candor.ProcessExited); last.Session != s.agent.session.ID() {
		t.Errorf("%+v", last)
	}
	s.untilState(s.cluster.place("web-1", "w1", shell(`exec sleep 300`)), candor.ProcessRunning)
}

func (a *Agent) knowsOf(uid string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keepers[uid] != nil
}

// TestWhatAWipedDirectoryRanIsEndedBeforeItRunsAnew.
func TestWhatAWipedDirectoryRanIsEndedBeforeItRunsAnew(t *testing.T) {
	s := newScene(t)
	trace := filepath.Join(t.TempDir(), "trace")
	uid := s.place(shell(`trap 'echo asked >> ` + trace + `; exit 0' TERM; echo up >> ` + trace + `; while :; do sleep 0.01; done`))
	first := s.untilState(uid, candor.ProcessRunning)
	said := func() string { out, _ := os.ReadFile(trace); return string(out) }
	s.until("it is up", func() bool { return said() == "up\n" })
	other := newScene(t) // a worker of another directory
	kept := other.untilState(other.place(shell(`exec sleep 300`)), candor.ProcessRunning)
	s.kill()
	noError(t, os.RemoveAll(s.data))
	if !alive(first.PID) {
		t.Fatal("it ended by itself")
	}
	s.start()
	s.until("it runs anew", func() bool { return said() == "up\nasked\nup\n" })
	second := s.untilState(uid, candor.ProcessRunning)
	if alive(first.PID) || second.PID == first.PID {
		t.Errorf("%+v, and before %+v", second, first)
	}
	if !alive(kept.PID) {
		t.Error("what another worker runs was ended")
	}
}

// TestAPanicAboutOneInstanceIsThatInstances: the worker goes on, says so, and tries again.
func TestAPanicAboutOneInstanceIsThatInstances(t *testing.T) {
	s := newScene(t)
	s.agent.mu.Lock()
	client := s.agent.probing
	s.agent.probing = (*http.Client)(nil) // a probe by HTTP panics with it
	s.agent.mu.Unlock()
	template := shell(`exec sleep 300`)
	template.Health = &candor.Probe{HTTP: "1/", PeriodSeconds: 1}
	bad := s.place(template)
	s.until("the panic is told", func() bool { return strings.Contains(s.cluster.observed(bad).Message, "the worker failed at ") })
	if o := s.cluster.observed(bad); o.State != candor.ProcessRunning || !alive(o.PID) || o.Ready {
		t.Errorf("%+v", o)
	}
	s.agent.mu.Lock()
	s.agent.probing = client
	s.agent.mu.Unlock()
	s.untilState(s.cluster.place("web-1", "w1", shell(`exec sleep 300`)), candor.ProcessRunning)
	s.cluster.terminate(bad)
	s.untilState(bad, candor.ProcessExited)
}

// TestAPanicInAStepIsHeldBackAndTold.
func TestAPanicInAStepIsHeldBackAndTold(t *testing.T) {
	var told []candor.InstanceObserved
	var steps atomic.Int32
	k := &keeper{dir: shim.Dir(t.TempDir()), uid: "u", order: order(0), stopping: make(chan struct{}), log: hclog.NewNullLogger()}
	k.report = func(o candor.InstanceObserved) {
		if o.Message == "" && steps.Add(1) <= 3 {
			panic("it is broken")
		}
		told = append(told, o)
		if o.Message == "" {
			k.stop() // before the launch
		}
	}
	k.self = []string{"/no/such/shim"}
	began := time.Now()
	if !k.run(t.Context()) || steps.Load() < 4 || time.Since(began) < 3*50*time.Millisecond {
		t.Errorf("%d steps in %s: %+v", steps.Load(), time.Since(began), told)
	}
	if len(told) == 0 || !strings.Contains(told[0].Message, "it is broken") || !strings.Contains(told[0].Message, "agent_trouble_test.go") {
		t.Errorf("%+v", told)
	}
}
