//go:build linux

package worker

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker/shim"
)

// scene is a worker on a data directory, beside a cluster. What it started ends with
// the test.
type scene struct {
	t       *testing.T
	cluster *fake
	data    string
	config  Config
	agent   *Agent
	stop    context.CancelFunc
	ended   chan error
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, cluster: newFake(), data: t.TempDir()}
	s.config = configOf(s.data, s.cluster)
	t.Cleanup(func() {
		s.kill()
		bury(t, s.data)
	})
	s.start()
	return s
}

func configOf(data string, cluster *fake) Config {
	return Config{
		Name: "w1", Data: data, Shim: []string{os.Args[0], "worker-shim"}, Nodes: cluster, Instances: cluster, Policies: &cluster.policies,
		Logger: hclog.NewNullLogger(), Version: "test", Capacity: candor.Resources{{Name: candor.ResourceCPU, Value: 1000}},
	}
}

// bury ends what is left below a data directory.
func bury(t *testing.T, data string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	dirs, _ := filepath.Glob(filepath.Join(data, "instances", "*"))
	for _, dir := range dirs {
		running, _, err := shim.Attach(ctx, shim.Dir(dir), filepath.Base(dir))
		if err != nil {
			t.Errorf("clean up: %v", err)
		}
		if running == nil {
			continue
		}
		_ = running.Kill()
		if _, err := running.Wait(ctx, filepath.Base(dir)); err != nil {
			t.Errorf("clean up: %v", err)
		}
		_ = running.Close()
	}
}

func (s *scene) start() {
	s.t.Helper()
	agent, err := New(s.config)
	noError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s.agent, s.stop, s.ended = agent, cancel, make(chan error, 1)
	go func() { s.ended <- agent.Run(ctx) }()
	s.until("the node is registered", func() bool {
		select {
		case err := <-s.ended:
			s.t.Fatalf("the worker ended: %v", err)
		default:
		}
		return s.cluster.isAway() || agent.session.UID("w1") != ""
	})
}

// kill ends the worker and leaves what runs.
func (s *scene) kill() {
	if s.stop == nil {
		return
	}
	s.stop()
	if err := <-s.ended; err != nil {
		s.t.Errorf("the worker ended: %v", err)
	}
	s.stop = nil
}

func (s *scene) until(what string, condition func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			s.t.Fatalf("not in 30 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond) // polls
	}
}

func (s *scene) untilState(uid string, state candor.ProcessState) candor.InstanceObserved {
	s.t.Helper()
	s.until("the instance is "+string(state), func() bool { return s.cluster.observed(uid).State == state })
	return s.cluster.observed(uid)
}

func (s *scene) place(template candor.InstanceTemplate) string {
	s.t.Helper()
	return s.cluster.place("web-0", "w1", template)
}

func (s *scene) stdout(uid string) string {
	out, _ := os.ReadFile(s.agent.dir(uid).Stdout())
	return string(out)
}

func shell(script string) candor.InstanceTemplate {
	grace := int32(5)
	return candor.InstanceTemplate{Command: []string{"sh", "-c", script}, GraceSeconds: &grace, Restart: candor.RestartNever}
}

func alive(pid int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && !strings.Contains(string(data), ") Z ")
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsPlacedRunsAndItsEndIsObserved(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`echo hello; exit 3`))
	last := s.untilState(uid, candor.ProcessExited)
	if last.ExitCode == nil || *last.ExitCode != 3 || last.Session != s.agent.session.ID() || last.StartedAt.IsZero() || last.EndedAt.Before(last.StartedAt) {
		t.Errorf("%+v", last)
	}
	if s.stdout(uid) != "hello\n" {
		t.Errorf("%q", s.stdout(uid))
	}
}

func TestDeletionAsksTheProcessToEndAndTellsThatItDid(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done`))
	running := s.untilState(uid, candor.ProcessRunning)
	if !running.Ready || !alive(running.PID) {
		t.Fatalf("%+v", running)
	}
	s.until("it is up", func() bool { return s.stdout(uid) == "up\n" })
	s.cluster.terminate(uid)
	last := s.untilState(uid, candor.ProcessExited)
	if *last.ExitCode != 0 || alive(running.PID) {
		t.Errorf("%+v", last)
	}
	var states []candor.ProcessState
	for _, o := range s.cluster.history(uid) {
		states = append(states, o.State)
	}
	if states[len(states)-2] != candor.ProcessStopping {
		t.Errorf("%v, want Stopping before Exited", states)
	}
}

func TestWhoIsDeafIsKilledAfterItsGrace(t *testing.T) {
	s := newScene(t)
	template := shell(`trap '' TERM; echo up; while :; do sleep 0.01; done`)
	*template.GraceSeconds = 0
	uid := s.place(template)
	s.until("it is up", func() bool { return s.stdout(uid) == "up\n" })
	s.cluster.terminate(uid)
	if last := s.untilState(uid, candor.ProcessExited); *last.ExitCode != 128+int32(syscall.SIGKILL) {
		t.Errorf("%+v", last)
	}
}

func TestARestartedWorkerFindsWhatRuns(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`echo up; exec sleep 300`))
	before := s.untilState(uid, candor.ProcessRunning)
	s.until("it is up", func() bool { return s.stdout(uid) == "up\n" })
	first := s.agent.session.ID()
	s.kill()
	if !alive(before.PID) {
		t.Fatal("the process ended with its worker")
	}
	s.start()
	s.until("the new session observes it", func() bool {
		o := s.cluster.observed(uid)
		return o.Session != first && o.State == candor.ProcessRunning
	})
	if after := s.cluster.observed(uid); after.PID != before.PID || !after.StartedAt.Equal(before.StartedAt) || after.Restarts != 0 || s.stdout(uid) != "up\n" {
		t.Errorf("%+v after %+v", after, before)
	}
}

func TestWhatEndedWhileNoWorkerWasThereIsKnownToTheNext(t *testing.T) {
	s := newScene(t)
	gate := filepath.Join(t.TempDir(), "gate")
	uid := s.place(shell(`echo up; while [ ! -e ` + gate + ` ]; do sleep 0.01; done; exit 42`))
	running := s.untilState(uid, candor.ProcessRunning)
	s.kill()
	noError(t, os.WriteFile(gate, nil, 0o600))
	s.until("the process ended", func() bool { return !alive(running.PID) })
	s.start()
	if last := s.untilState(uid, candor.ProcessExited); last.ExitCode == nil || *last.ExitCode != 42 {
		t.Errorf("%+v", last)
	}
}

// runAlone is a worker in a process of its own, of one cluster that it brings along.
func runAlone(data string) error {
	cluster := newFake()
	agent, err := New(configOf(data, cluster))
	if err != nil {
		return err
	}
	go func() {
		for agent.session.UID("w1") == "" {
			time.Sleep(time.Millisecond)
		}
		cluster.place("web-0", "w1", shell(`echo up; exec sleep 300`))
	}()
	return agent.Run(context.Background())
}

func TestAWorkerThatIsKilledLeavesItsProcessesToTheNext(t *testing.T) {
	data := t.TempDir()
	t.Cleanup(func() { bury(t, data) })
	killed := exec.Command(os.Args[0], "worker-alone", data)
	killed.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	noError(t, killed.Start())
	var dir shim.Dir
	s := &scene{t: t, cluster: newFake(), data: data}
	s.until("the command runs", func() bool {
		dirs, _ := filepath.Glob(filepath.Join(data, "instances", "*"))
		if len(dirs) != 1 {
			return false
		}
		dir = shim.Dir(dirs[0])
		r, err := dir.Record()
		return err == nil && r != nil && r.State == shim.StateRunning
	})
	noError(t, killed.Process.Kill())
	_ = killed.Wait()
	before, err := dir.Record()
	noError(t, err)
	if !alive(before.Command.PID) {
		t.Fatal("the process was killed with its worker")
	}

	// The next one cannot hear the cluster and goes on nevertheless.
	s.config = configOf(data, s.cluster)
	s.cluster.away = true
	t.Cleanup(s.kill)
	s.start()
	after := candor.InstanceObserved{}
	s.until("the next worker has it", func() bool {
		s.agent.reporter.mu.Lock()
		defer s.agent.reporter.mu.Unlock()
		for _, e := range s.agent.reporter.entries {
			after = e.want
		}
		return after.State == candor.ProcessRunning
	})
	if after.PID != before.Command.PID {
		t.Errorf("%+v, want PID %d", after, before.Command.PID)
	}

	// The cluster is back, and does not know the instance.
	s.cluster.setAway(false)
	s.until("the process nobody knows is stopped", func() bool { return !alive(before.Command.PID) })
}

func TestAKilledShimIsAnUnknownEnd(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`echo up; sleep 300 & wait`))
	running := s.untilState(uid, candor.ProcessRunning)
	r, err := s.agent.dir(uid).Record()
	noError(t, err)
	noError(t, syscall.Kill(r.Shim.PID, syscall.SIGKILL))
	last := s.untilState(uid, candor.ProcessExited)
	if last.ExitCode != nil || !strings.Contains(last.Message, "its shim ended") || alive(running.PID) {
		t.Errorf("%+v", last)
	}
}

func TestWhatEndsIsStartedAgainAfterAWhileAndCounted(t *testing.T) {
	s := newScene(t)
	template := shell(`echo run; exit 1`)
	template.Restart = candor.RestartOnFailure
	uid := s.place(template)
	recorded := func(run int) (r *shim.Record) {
		s.until("a run is recorded", func() bool {
			var err error
			r, err = s.agent.dir(uid).Record()
			return err == nil && r != nil && r.Run >= run && r.State == shim.StateEnded
		})
		return r
	}
	first, second := recorded(1), recorded(2)
	if pause := second.StartedAt.Sub(first.EndedAt); first.Run != 1 || second.Run != 2 || pause < firstRestart {
		t.Errorf("%+v, and after %s %+v", first, pause, second)
	}
	if waiting := s.untilState(uid, candor.ProcessWaiting); *waiting.ExitCode != 1 || waiting.Restarts == 0 || !strings.HasPrefix(s.stdout(uid), strings.Repeat("run\n", 2)) {
		t.Errorf("%+v", waiting)
	}
}

func TestSuccessIsNotStartedAgainOnFailure(t *testing.T) {
	s := newScene(t)
	template := shell(`exit 0`)
	template.Restart = candor.RestartOnFailure
	if last := s.untilState(s.place(template), candor.ProcessExited); *last.ExitCode != 0 || last.Restarts != 0 {
		t.Errorf("%+v", last)
	}
}

func TestRestartsAreHeldBackTwiceAsLongEachTime(t *testing.T) {
	want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute}
	at := time.Unix(1_800_000_000, 0)
	order, short := &shim.Order{Run: 1}, &shim.Record{Run: 1, StartedAt: at, EndedAt: at.Add(time.Second), ExitCode: 1}
	for n, d := range want {
		if order = next(order, short); order.Run != n+2 || restartDelay(order.Failures-1) != d {
			t.Errorf("run %d is due after %s, want %s", order.Run, restartDelay(order.Failures-1), d)
		}
	}
	long := &shim.Record{StartedAt: at, EndedAt: at.Add(time.Minute)}
	if order = next(order, long); restartDelay(order.Failures-1) != time.Second {
		t.Errorf("after a minute of work it is due after %s", restartDelay(order.Failures-1))
	}
}

func TestWhoIsToEndWhileItWaitsIsNotStartedAgain(t *testing.T) {
	s := newScene(t)
	template := shell(`echo run; exit 1`)
	template.Restart = candor.RestartAlways
	uid := s.place(template)
	s.untilState(uid, candor.ProcessWaiting)
	s.cluster.terminate(uid)
	if last := s.untilState(uid, candor.ProcessExited); *last.ExitCode != 1 || strings.Count(s.stdout(uid), "run") > 2 {
		t.Errorf("%+v, %q", last, s.stdout(uid))
	}
}

func TestWhatTheClusterDoesNotKnowAnyMoreIsStopped(t *testing.T) {
	for name, act := range map[string]func(s *scene, uid string){
		"deleted":                     func(s *scene, uid string) { s.cluster.remove(uid, true) },
		"deleted while nobody looked": func(s *scene, uid string) { s.kill(); s.cluster.remove(uid, false); s.start() },
		"given up as lost": func(s *scene, uid string) {
			s.cluster.change(uid, func(o *candor.Object) {
				o.Status = encode(candor.InstanceStatus{Phase: candor.InstanceLost, Node: "w1", NodeUID: s.agent.session.UID("w1")})
			})
		},
		"of a node before this one": func(s *scene, uid string) {
			s.cluster.change(uid, func(o *candor.Object) {
				o.Status = encode(candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "w1", NodeUID: "another"})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			uid := s.place(shell(`exec sleep 300`))
			running := s.untilState(uid, candor.ProcessRunning)
			act(s, uid)
			s.until("it is stopped", func() bool { return !alive(running.PID) })
		})
	}
}

func TestWhatRunsGoesOnWhileTheClusterIsAwayAndItsNewestIsTold(t *testing.T) {
	s := newScene(t)
	gate := filepath.Join(t.TempDir(), "gate")
	uid := s.place(shell(`while [ ! -e ` + gate + ` ]; do sleep 0.01; done; exit 9`))
	running := s.untilState(uid, candor.ProcessRunning)
	s.cluster.setAway(true)
	told := len(s.cluster.history(uid))
	noError(t, os.WriteFile(gate, nil, 0o600))
	s.until("it ended", func() bool { return !alive(running.PID) })
	s.cluster.setAway(false)
	if last := s.untilState(uid, candor.ProcessExited); *last.ExitCode != 9 {
		t.Errorf("%+v", last)
	}
	if more := s.cluster.history(uid)[told:]; len(more) != 1 {
		t.Errorf("%+v: want the newest alone", more)
	}
}

func TestWhoseNodeItsNextSessionTookOverEndsAndLeavesWhatRuns(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`exec sleep 300`))
	running := s.untilState(uid, candor.ProcessRunning)
	s.cluster.mu.Lock()
	s.cluster.nodes["w1"].Observed = encode(candor.NodeObserved{Session: NewSessionID(workerOf(s.agent.session.ID()))})
	s.cluster.refuseBeat = func(client.Beat) *candor.Error { return candor.Errorf(candor.ReasonConflict, "session another has it") }
	s.cluster.mu.Unlock()
	err := <-s.ended
	s.stop()
	s.stop = nil
	if candor.ReasonOf(err) != candor.ReasonConflict || !strings.Contains(err.Error(), "session another has it") {
		t.Errorf("%v", err)
	}
	if !alive(running.PID) {
		t.Error("the process was stopped")
	}
}

func TestANodeThatWasDeletedIsRegisteredAnewAndEmpty(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`exec sleep 300`))
	running := s.untilState(uid, candor.ProcessRunning)
	s.cluster.mu.Lock()
	was := s.cluster.nodes["w1"].Metadata.UID
	delete(s.cluster.nodes, "w1")
	s.cluster.refuseBeat = func(b client.Beat) *candor.Error {
		if b.UID == was {
			return candor.Errorf(candor.ReasonNotFound, "no such node")
		}
		return nil
	}
	s.cluster.mu.Unlock()
	s.until("it is registered anew", func() bool { now := s.agent.session.UID("w1"); return now != "" && now != was })
	s.until("what ran on the node before is stopped", func() bool { return !alive(running.PID) })
	s.untilState(s.place(shell(`exec sleep 300`)), candor.ProcessRunning)
}

func TestHeartbeatsGoOnWhileInstancesAreBusy(t *testing.T) {
	s := newScene(t)
	for range 5 {
		s.place(shell(`exec sleep 300`))
	}
	before := s.cluster.heartbeats()
	s.until("more beats", func() bool { return s.cluster.heartbeats() > before+3 })
}

func TestADataDirectoryIsOneWorkers(t *testing.T) {
	s := newScene(t)
	second, err := New(s.config)
	noError(t, err)
	if err := second.Run(t.Context()); candor.ReasonOf(err) != candor.ReasonDataLocked {
		t.Errorf("%v", err)
	}
}

func TestAnObservationThatIsTheSameIsNotToldAgain(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`exec sleep 300`))
	s.untilState(uid, candor.ProcessRunning)
	told := len(s.cluster.history(uid))
	s.cluster.change(uid, func(o *candor.Object) { o.Metadata.Labels = map[string]string{"touched": "yes"} })
	again := s.place(shell(`exec sleep 300`))
	s.untilState(again, candor.ProcessRunning)
	if now := len(s.cluster.history(uid)); now != told {
		t.Errorf("%d observations, want %d", now, told)
	}
}

func TestProbesSayWhetherAnInstanceWorks(t *testing.T) {
	var sick atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if sick.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	noError(t, err)
	number, err := strconv.Atoi(port)
	noError(t, err)
	gate := filepath.Join(t.TempDir(), "gate")
	ask := func(p candor.Probe) error {
		x := prober{probe: &p, order: &shim.Order{UID: "u", Name: "n"}, http: newProbeClient()}
		return x.ask(t.Context())
	}
	for name, p := range map[string]candor.Probe{"tcp": {TCP: int32(number)}, "http": {HTTP: port + "/healthz"}, "command": {Command: []string{"true"}}} {
		if err := ask(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	sick.Store(true)
	for name, p := range map[string]candor.Probe{
		"http": {HTTP: port + "/healthz"}, "command": {Command: []string{"false"}}, "absent": {Command: []string{"/no/such"}},
		"slow": {Command: []string{"sleep", "60"}, TimeoutSeconds: 1},
	} {
		if err := ask(p); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	server.Close()
	if err := ask(candor.Probe{TCP: int32(number)}); err == nil {
		t.Error("a closed port passes")
	}

	s := newScene(t)
	template := shell(`exec sleep 300`)
	template.Health = &candor.Probe{Command: []string{"test", "-e", gate}, PeriodSeconds: 1, FailureThreshold: 1}
	uid := s.place(template)
	if o := s.untilState(uid, candor.ProcessRunning); o.Ready {
		t.Errorf("%+v is ready before its probe succeeded", o)
	}
	noError(t, os.WriteFile(gate, nil, 0o600))
	s.until("it is ready", func() bool { return s.cluster.observed(uid).Ready })
	noError(t, os.Remove(gate))
	s.until("it is not ready", func() bool { o := s.cluster.observed(uid); return !o.Ready && o.Message != "" })
}

func TestAProcessWhoseProbeFailsForLongIsStartedAgain(t *testing.T) {
	s := newScene(t)
	s.kill()
	s.config.UnhealthyAfter = time.Millisecond
	s.start()
	template := shell(`echo run; exec sleep 300`)
	template.Restart = candor.RestartOnFailure
	template.Health = &candor.Probe{Command: []string{"false"}, PeriodSeconds: 1, FailureThreshold: 1}
	uid := s.place(template)
	s.until("it is started again", func() bool { return strings.Count(s.stdout(uid), "run\n") >= 2 })
	if o := s.cluster.observed(uid); o.Restarts < 1 {
		t.Errorf("%+v", o)
	}
}

func TestOldDirectoriesAreRemovedAndBounded(t *testing.T) {
	s := newScene(t)
	kept := s.place(shell(`exec sleep 300`))
	s.untilState(kept, candor.ProcessRunning)
	var uids []string
	for range 3 {
		uid := s.place(shell(`true`))
		s.untilState(uid, candor.ProcessExited)
		uids = append(uids, uid)
	}
	there := func(uid string) bool { _, err := os.Stat(string(s.agent.dir(uid))); return err == nil }
	noError(t, s.agent.sweep(time.Now().Add(48*time.Hour)))
	for _, uid := range uids {
		if !there(uid) {
			t.Error("the cluster knows it still, and its logs are gone")
		}
		s.cluster.remove(uid, true)
	}
	s.until("nobody asks for them", func() bool {
		return !s.agent.reporter.knows(uids[0]) && !s.agent.reporter.knows(uids[1]) && !s.agent.reporter.knows(uids[2])
	})
	s.agent.config.RetainCount = 1
	noError(t, s.agent.sweep(time.Now()))
	if there(uids[0]) || there(uids[1]) || !there(uids[2]) {
		t.Errorf("%v %v %v, want the newest alone", there(uids[0]), there(uids[1]), there(uids[2]))
	}
	noError(t, s.agent.sweep(time.Now().Add(2*time.Hour)))
	if there(uids[2]) || !there(kept) {
		t.Error("an old one was kept, or one that runs was removed")
	}
}
