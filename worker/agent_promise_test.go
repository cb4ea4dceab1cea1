//go:build linux

package worker

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker/shim"
)

// TestNothingIsToldOfAnInstanceThatIsGone: of its name there is another one by then, and
// what is told would be refused for ever.
func TestNothingIsToldOfAnInstanceThatIsGone(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`trap 'sleep 0.2; exit 0' TERM; while :; do sleep 0.01; done`))
	pid := s.untilState(uid, candor.ProcessRunning).PID
	s.cluster.mu.Lock()
	s.cluster.refuseObserve = func(of string) error {
		if of == uid {
			return candor.Errorf(candor.ReasonConflict, "it is another object of the same name")
		}
		return nil
	}
	s.cluster.mu.Unlock()
	s.cluster.remove(uid, true)
	s.until("the process has ended", func() bool { return !alive(pid) })
	s.until("it is over", func() bool { return !s.agent.wanted(uid) })
	if pending, _ := s.agent.reporter.Pending(); pending != 0 {
		t.Errorf("%d observations wait to be told", pending)
	}
}

// TestWhatWasPlacedWhileTheNodeWasRegisteredAnewRuns, although the worker did not know the
// node's UID yet when it heard of it.
func TestWhatWasPlacedWhileTheNodeWasRegisteredAnewRuns(t *testing.T) {
	s := newScene(t)
	var early atomic.Pointer[string]
	s.cluster.mu.Lock()
	delete(s.cluster.nodes, "w1")
	s.cluster.refuseBeat = func(b client.Beat) *candor.Error {
		n := s.cluster.nodes["w1"]
		if n != nil && n.Metadata.UID == b.UID {
			return nil
		}
		if n == nil && early.Load() == nil {
			// The answer to a registration was lost: the node is there, and has an instance.
			object := candor.Object{Kind: "Node", Metadata: candor.Metadata{Name: "w1", UID: "new"}}
			s.cluster.nodes["w1"] = &object
			uid := "early"
			early.Store(&uid)
			s.cluster.put(&candor.Object{
				Kind: "Instance", Metadata: candor.Metadata{Name: "web-9", Namespace: "team", UID: uid, Labels: map[string]string{candor.LabelNode: "w1"}},
				Spec:   encode(candor.InstanceSpec{InstanceTemplate: shell("sleep 60")}),
				Status: encode(candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "w1", NodeUID: "new"}),
			})
			time.Sleep(20 * time.Millisecond) // so that the watch has told before the node is registered
		}
		return candor.Errorf(candor.ReasonNotFound, "register first")
	}
	s.cluster.mu.Unlock()
	s.untilState("early", candor.ProcessRunning)
}

// TestAnEndThatIsKnownIsNotToldAnewWhenItsDirectoryIsGone, nor is the command run again.
func TestAnEndThatIsKnownIsNotToldAnewWhenItsDirectoryIsGone(t *testing.T) {
	for _, phase := range []candor.InstancePhase{candor.InstancePlaced, candor.InstanceSucceeded} {
		t.Run(string(phase), func(t *testing.T) {
			s := newScene(t)
			ran := filepath.Join(t.TempDir(), "ran")
			uid := s.place(shell("echo x >> " + ran))
			s.untilState(uid, candor.ProcessExited)
			s.kill()
			s.cluster.change(uid, func(o *candor.Object) {
				o.Status = encode(candor.InstanceStatus{Phase: phase, Node: "w1", NodeUID: s.cluster.nodes["w1"].Metadata.UID})
			})
			noError(t, os.RemoveAll(string(s.agent.dir(uid))))
			told := len(s.cluster.history(uid))
			s.start()
			other := s.cluster.place("web-1", "w1", shell("exit 3"))
			s.untilState(other, candor.ProcessExited)
			if out, _ := os.ReadFile(ran); string(out) != "x\n" || len(s.cluster.history(uid)) != told {
				t.Errorf("it wrote %q; told: %+v", out, s.cluster.history(uid)[told:])
			}
		})
	}
}

// TestNoDirectoryIsRemovedBeforeItIsKnownWhatIsAskedFor: the end of an instance may be
// nowhere else.
func TestNoDirectoryIsRemovedBeforeItIsKnownWhatIsAskedFor(t *testing.T) {
	s := newScene(t)
	s.until("what there is was listed", s.agent.knowsAll)
	s.kill()
	s.cluster.setAway(true)
	agent, err := New(s.config)
	noError(t, err)
	if agent.knowsAll() {
		t.Error("it knows what is asked for, and nobody answered")
	}
}

// TestAClockThatWasSetBackHoldsNoRestartUp.
func TestAClockThatWasSetBackHoldsNoRestartUp(t *testing.T) {
	dir := shim.Dir(t.TempDir())
	k := &keeper{dir: dir, policies: newPolicies(new(fakePolicies), time.Second, hclog.NewNullLogger()), order: &shim.Order{Run: 2, Failures: 1}, report: func(candor.InstanceObserved) {}, stopping: make(chan struct{}), log: hclog.NewNullLogger()}
	began := time.Now()
	if !k.waits(t.Context(), &shim.Record{EndedAt: time.Now().Add(24 * time.Hour)}) || time.Since(began) > 10*firstRestart {
		t.Errorf("it waited for %s", time.Since(began))
	}
}

// TestWhatIsToEndWhenItIsFirstHeardOfNeverStarts.
func TestWhatIsToEndWhenItIsFirstHeardOfNeverStarts(t *testing.T) {
	s := newScene(t)
	s.kill()
	ran := filepath.Join(t.TempDir(), "ran")
	uids := make([]string, 20)
	for i := range uids {
		uids[i] = s.cluster.place("web-0", "w1", shell("echo x >> "+ran))
		s.cluster.terminate(uids[i])
	}
	s.start()
	for _, uid := range uids {
		s.untilState(uid, candor.ProcessExited)
	}
	if out, err := os.ReadFile(ran); err == nil {
		t.Errorf("it wrote %q", out)
	}
}

// TestADiskThatIsFullForAWhileEndsNoInstance.
func TestADiskThatIsFullForAWhileEndsNoInstance(t *testing.T) {
	s := newScene(t)
	s.kill()
	s.config.retryAfter = 20 * time.Millisecond
	s.start()
	instances := filepath.Join(s.data, "instances")
	noError(t, os.Rename(instances, instances+".away"))
	noError(t, os.WriteFile(instances, nil, 0o600)) // in which nothing can be written
	uid := s.place(shell("sleep 60"))
	s.until("it was tried", func() bool {
		s.agent.mu.Lock()
		defer s.agent.mu.Unlock()
		return s.agent.trying
	})
	noError(t, os.Remove(instances))
	noError(t, os.Rename(instances+".away", instances))
	s.untilState(uid, candor.ProcessRunning)
	if first := s.cluster.history(uid)[0]; first.State == candor.ProcessExited {
		t.Errorf("%+v", first)
	}
}

// TestAnOrderThatIsDamagedIsWrittenAnewAndWhatRunsGoesOn.
func TestAnOrderThatIsDamagedIsWrittenAnewAndWhatRunsGoesOn(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell("sleep 60"))
	pid := s.untilState(uid, candor.ProcessRunning).PID
	s.kill()
	noError(t, os.WriteFile(filepath.Join(string(s.agent.dir(uid)), "order.json"), []byte("{"), 0o600))
	s.start()
	s.until("it is told by the next session", func() bool { return s.cluster.observed(uid).Session == s.agent.session.ID() })
	if o := s.cluster.observed(uid); o.State != candor.ProcessRunning || o.PID != pid || !alive(pid) {
		t.Errorf("%+v, want process %d to go on", o, pid)
	}
}

// TestWhoseNodeAnotherWorkerTookOverEndsWhatRan: the other one runs it by now, from
// another data directory.
func TestWhoseNodeAnotherWorkerTookOverEndsWhatRan(t *testing.T) {
	s := newScene(t)
	uid := s.place(shell(`trap 'sleep 0.1; exit 0' TERM; while :; do sleep 0.01; done`))
	running := s.untilState(uid, candor.ProcessRunning)
	s.cluster.mu.Lock()
	told := len(s.cluster.seen[uid])
	s.cluster.nodes["w1"].Observed = encode(candor.NodeObserved{Session: NewSessionID("another")})
	s.cluster.refuseBeat = func(client.Beat) *candor.Error { return candor.Errorf(candor.ReasonConflict, "session another has it") }
	s.cluster.mu.Unlock()
	err := <-s.ended
	s.stop()
	s.stop = nil
	if candor.ReasonOf(err) != candor.ReasonConflict || alive(running.PID) {
		t.Errorf("%v; the process lives: %t", err, alive(running.PID))
	}
	if now := s.cluster.history(uid); len(now) != told {
		t.Errorf("it was told: %+v", now[told:])
	}
}
