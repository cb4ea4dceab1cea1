//go:build linux

package worker

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

func policy(name, objects string, modes ...candor.FailureMode) *candor.Object {
	return &candor.Object{
		Kind: "FailurePolicy", Metadata: candor.Metadata{Name: name},
		Spec: encode(candor.FailurePolicySpec{Kind: candor.KindWorkloads, Objects: objects, Modes: modes}),
	}
}

func probing(action string, detect, act time.Duration) candor.FailureMode {
	return candor.FailureMode{
		Failure: candor.FailureSlow, Signal: candor.SignalProbe, Action: action,
		DetectWithin: candor.Duration(detect), ActAfter: candor.Duration(act), RecoverWithin: candor.Duration(time.Minute),
	}
}

func exiting(action string, act, recovery time.Duration) candor.FailureMode {
	return candor.FailureMode{
		Failure: candor.FailureCrash, Signal: candor.SignalExit, Action: action,
		DetectWithin: candor.Duration(time.Second), ActAfter: candor.Duration(act), RecoverWithin: candor.Duration(recovery),
	}
}

// ruled is a scene in which these policies are known.
func ruled(t *testing.T, all ...*candor.Object) *scene {
	t.Helper()
	s := newScene(t)
	s.kill()
	s.cluster.policies.all = all
	s.start()
	s.until("the policies are known", func() bool {
		s.agent.policies.mu.Lock()
		defer s.agent.policies.mu.Unlock()
		return len(s.agent.policies.known) == len(all)
	})
	return s
}

// unwell runs for ever, and its probe fails from the beginning.
func unwell(t *testing.T) candor.InstanceTemplate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	noError(t, l.Close()) // nobody listens there now
	number, err := strconv.Atoi(port)
	noError(t, err)
	template := shell(`echo run; exec sleep 300`)
	template.Restart = candor.RestartAlways
	template.Health = &candor.Probe{TCP: int32(number), PeriodSeconds: 1, FailureThreshold: 1}
	return template
}

func TestAFailingProbeStartsTheProcessAgainWhenThePolicySaysSo(t *testing.T) {
	s := ruled(t, policy("default-workloads", "", probing(candor.ActionRestart, 100*time.Millisecond, 100*time.Millisecond)))
	uid := s.place(unwell(t))
	s.until("it runs again", func() bool { return strings.Count(s.stdout(uid), "run\n") >= 2 })
}

func TestAPolicyThatSaysReplaceEndsTheInstanceHere(t *testing.T) {
	s := ruled(t, policy("a", "", probing(candor.ActionReplace, 100*time.Millisecond, 0)))
	uid := s.place(unwell(t))
	pid := s.untilState(uid, candor.ProcessRunning).PID
	last := s.untilState(uid, candor.ProcessExited)
	if alive(pid) || last.Restarts != 0 || !strings.Contains(last.Message, "failure policy a says Replace") {
		t.Errorf("%+v", last)
	}
	// The next worker says the same of it.
	s.kill()
	s.start()
	s.until("what there is was listed", s.agent.knowsAll)
	if now := s.cluster.observed(uid); now.State != candor.ProcessExited || strings.Count(s.stdout(uid), "run\n") != 1 {
		t.Errorf("%+v, %q", now, s.stdout(uid))
	}
}

func TestAPolicyThatSaysNoneLeavesWhatFailsItsProbeRunning(t *testing.T) {
	s := ruled(t, policy("default-workloads", "", probing(candor.ActionNone, time.Millisecond, 0)))
	uid := s.place(unwell(t))
	s.until("its probe has failed", func() bool { return s.cluster.observed(uid).Message != "" })
	asked := s.cluster.heartbeats()
	s.until("more time has passed", func() bool { return s.cluster.heartbeats() > asked+60 })
	if o := s.cluster.observed(uid); o.State != candor.ProcessRunning || o.Ready || s.stdout(uid) != "run\n" {
		t.Errorf("%+v, %q", o, s.stdout(uid))
	}
}

func TestAProcessThatFailsIsNotStartedAgainWhereThePolicySaysReplace(t *testing.T) {
	s := ruled(t, policy("a", "", exiting(candor.ActionReplace, 0, time.Minute)))
	failing := shell(`exit 4`)
	failing.Restart = candor.RestartAlways
	last := s.untilState(s.place(failing), candor.ProcessExited)
	if *last.ExitCode != 4 || last.Restarts != 0 || !strings.Contains(last.Message, "failure policy a says Replace") {
		t.Errorf("%+v", last)
	}
	// One that ended well has not failed.
	well := shell(`echo run`)
	well.Restart = candor.RestartAlways
	uid := s.place(well)
	s.until("it runs again", func() bool { return strings.Count(s.stdout(uid), "run\n") == 2 })
}

func TestAPolicyBoundsHowLongARestartIsHeldBack(t *testing.T) {
	crash := time.Unix(1_800_000_000, 0)
	for name, c := range map[string]struct {
		mode   candor.FailureMode
		record int32
		want   time.Duration
	}{
		"its promise":      {exiting(candor.ActionRestart, 0, 5*time.Second), 1, 5 * time.Second},
		"a long promise":   {exiting(candor.ActionRestart, 0, time.Hour), 1, 32 * time.Second},
		"it acts later":    {exiting(candor.ActionRestart, 40*time.Second, time.Hour), 1, 40 * time.Second},
		"it has succeeded": {exiting(candor.ActionRestart, 0, 5*time.Second), 0, 32 * time.Second},
	} {
		p := newPolicies(new(fakePolicies), time.Second, hclog.NewNullLogger())
		p.Reset([]*candor.Object{policy("default-workloads", "", c.mode)})
		k := &keeper{policies: p, order: order(6)}
		record := endedAt(crash, c.record)
		if got := k.delay(&record); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestThePolicyIsTheOneThatSelectsTheInstance(t *testing.T) {
	p := newPolicies(new(fakePolicies), 7*time.Second, hclog.NewNullLogger())
	got := func(labels map[string]string) string {
		mode, from := p.probe(labels)
		return from + " " + time.Duration(mode.DetectWithin).String() + " " + mode.Action
	}
	said := []string{got(nil)}
	p.Reset([]*candor.Object{
		policy("default-workloads", "", probing(candor.ActionRestart, 30*time.Second, 0)),
		policy("slow", "tier=batch", probing(candor.ActionNone, time.Minute, 0)),
		policy("exits", "tier=web", exiting(candor.ActionReplace, 0, time.Minute)),
		{Metadata: candor.Metadata{Name: "broken"}, Spec: []byte(`{"kind":3}`)},
	})
	said = append(said, got(nil), got(map[string]string{"tier": "batch"}), got(map[string]string{"tier": "web"}))
	p.Gone(policy("slow", ""))
	said = append(said, got(map[string]string{"tier": "batch"}))
	want := []string{"built-in 7s Restart", "default-workloads 30s Restart", "slow 1m0s None", "default-workloads 30s Restart", "default-workloads 30s Restart"}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
}

func TestThatPoliciesMayNotBeReadIsSaidOnce(t *testing.T) {
	var log strings.Builder
	f := &fakePolicies{err: candor.Errorf(candor.ReasonForbidden, "you may not list failurepolicies.candor")}
	p := newPolicies(f, time.Second, hclog.New(&hclog.LoggerOptions{Output: &log}))
	p.Changed(policy("default-workloads", "", probing(candor.ActionNone, time.Hour, 0)))
	for range 3 {
		// It asks again in a minute: each run asks once.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		p.run(ctx)
		cancel()
	}
	if n := strings.Count(log.String(), "may not be read"); n != 1 || f.asked != 3 {
		t.Errorf("it is said %d times in %d attempts:\n%s", n, f.asked, log.String())
	}
	if mode, from := p.probe(nil); from != "built-in" || mode.Action != candor.ActionRestart {
		t.Errorf("%s: %+v", from, mode)
	}
}
