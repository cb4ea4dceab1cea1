package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

// reel is what looks every 100 ms would see of four instances, of which a fault befalls
// two: what is done this many seconds after it began; 0 for never.
type reel struct {
	// unready is when they are not ready any more, well when they are again without
	// anything being done.
	unready, well float64
	// ended is when their processes are ended by their worker, again when others run in
	// them, twice when yet others do.
	ended, again, twice float64
	// gone is when the instances are given up, made when others run for them.
	gone, made float64
	// other is when an instance is started again that was not befallen.
	other float64
	// blind is from when on nobody looks for 5 s.
	blind float64
	lasts float64
}

func (f reel) rolls() []roll {
	passed := func(at, t float64) bool { return at != 0 && t >= at }
	var all []roll
	for i := -10; i < int(f.lasts*10); i++ {
		t := float64(i) / 10
		if passed(f.blind, t) && t < f.blind+5 {
			continue
		}
		at := began.Add(time.Duration(t * float64(time.Second)))
		p := roll{asked: at, told: at.Add(10 * time.Millisecond), all: map[string]resident{}, wanted: 4}
		for n := range 4 {
			one := resident{name: fmt.Sprintf("steady-%d", n), state: candor.ProcessRunning, pid: 100 + n, ready: true}
			if n >= 2 {
				if n == 3 && passed(f.other, t) {
					one.pid, one.restarts = 300, 1
				}
				p.all[one.name] = one
				continue
			}
			if passed(f.unready, t) && !passed(f.well, t) {
				one.ready = false
			}
			if passed(f.ended, t) {
				one.state, one.pid, one.ready = candor.ProcessWaiting, 0, false
			}
			if passed(f.again, t) {
				one.state, one.pid, one.restarts, one.ready = candor.ProcessRunning, 200+n, 1, true
			}
			if passed(f.twice, t) {
				one.pid, one.restarts = 300+n, 2
			}
			one.over = passed(f.gone, t)
			p.all[one.name] = one
			if passed(f.made, t) {
				one.over, one.ready, one.state, one.pid = false, true, candor.ProcessRunning, 400+n
				p.all[one.name+"-new"] = one
			}
		}
		for _, one := range p.all {
			if !one.over {
				p.living++
			}
			if one.well() {
				p.ready++
			}
		}
		all = append(all, p)
	}
	return all
}

// ailing is what befell two instances under a policy of 3 s and 2 s, and 20 s to recover:
// the end of their processes, or probes that fail for 20 s.
func ailing(signal, action string) *ailment {
	a := &ailment{
		mode: candor.FailureMode{Signal: signal, Action: action, DetectWithin: candor.Duration(3 * time.Second), ActAfter: candor.Duration(2 * time.Second), RecoverWithin: candor.Duration(20 * time.Second)},
		from: began, to: began.Add(50 * time.Millisecond), alone: true, uids: []string{"steady-0", "steady-1"},
	}
	if a.probe = signal == candor.SignalProbe; a.probe {
		a.meant = 20 * time.Second
		a.to = began.Add(a.meant + 50*time.Millisecond)
	}
	return a
}

// TestAPolicyForProcessesThatIsObeyedPassesAndEachWayNotToIsFound.
func TestAPolicyForProcessesThatIsObeyedPassesAndEachWayNotToIsFound(t *testing.T) {
	const known, acted, recovered = 0, 1, 2
	exit, probe := candor.SignalExit, candor.SignalProbe
	restart, replace, none := candor.ActionRestart, candor.ActionReplace, candor.ActionNone
	for name, c := range map[string]struct {
		signal, action string
		reel           reel
		broken         map[int]string
	}{
		"Exit, Restart is obeyed": {exit, restart, reel{ended: 0.1, again: 2.2, lasts: 30}, nil},
		"so fast that nobody saw": {exit, restart, reel{again: 2.2, lasts: 30}, nil},
		"nobody knew of an end":   {exit, restart, reel{ended: 14, again: 14.5, lasts: 30}, map[int]string{known: "steady-0 is ready after 13.1s"}},
		"started again too soon":  {exit, restart, reel{ended: 0.1, again: 1.5, lasts: 30}, map[int]string{acted: "too soon, 1.51s after"}},
		"started again too late":  {exit, restart, reel{ended: 0.1, again: 17, lasts: 30}, map[int]string{acted: "has not been started again after 16.1s"}},
		"not started again":       {exit, restart, reel{ended: 0.1, lasts: 30}, map[int]string{acted: "has not been started again", recovered: "after 20.1s 2 of 4"}},
		"replaced instead":        {exit, restart, reel{ended: 0.1, gone: 1, made: 2.5, lasts: 30}, map[int]string{acted: "steady-0 was given up"}},
		"another one too":         {exit, restart, reel{ended: 0.1, again: 2.2, other: 3, lasts: 30}, map[int]string{acted: "steady-3 which the fault did not befall"}},

		"Exit, Replace is obeyed":    {exit, replace, reel{ended: 0.1, gone: 0.2, made: 0.5, lasts: 30}, nil},
		"restarted instead":          {exit, replace, reel{ended: 0.1, again: 1.2, lasts: 30}, map[int]string{acted: "steady-0 was started again"}},
		"not given up":               {exit, replace, reel{ended: 0.1, lasts: 30}, map[int]string{acted: "is given up: false, and 4 of 4", recovered: "2 of 4"}},
		"given up, and none is made": {exit, replace, reel{ended: 0.1, gone: 0.2, lasts: 30}, map[int]string{acted: "is given up: true, and 2 of 4", recovered: "2 of 4"}},
		"made too late":              {exit, replace, reel{ended: 0.1, gone: 0.2, made: 22, lasts: 30}, map[int]string{acted: "2 of 4", recovered: "after 20.1s 2 of 4"}},

		"Probe, Restart is obeyed": {probe, restart, reel{unready: 1, ended: 6, again: 7, lasts: 30}, nil},
		"nobody knew of a probe":   {probe, restart, reel{unready: 15.5, ended: 15.6, again: 16, lasts: 30}, map[int]string{known: "steady-0 is ready after 15.1s"}},
		"ended too soon":           {probe, restart, reel{unready: 1, ended: 4.5, again: 5.5, lasts: 30}, map[int]string{acted: "too soon, 4.51s after"}},
		"never ended":              {probe, restart, reel{unready: 1, well: 20.1, lasts: 30}, map[int]string{acted: "has not been started again after 18.1s", recovered: ""}},
		"ended twice":              {probe, restart, reel{unready: 1, ended: 6, again: 7, twice: 8, lasts: 30}, map[int]string{acted: "was started again 2 times"}},
		"a probe, replaced":        {probe, restart, reel{unready: 1, gone: 6, made: 7, lasts: 30}, map[int]string{acted: "was given up"}},

		"Probe, Replace is obeyed": {probe, replace, reel{unready: 1, ended: 6, gone: 6.2, made: 6.5, lasts: 30}, nil},
		"replaced too soon":        {probe, replace, reel{unready: 1, ended: 3, gone: 3.2, made: 6.5, lasts: 30}, map[int]string{acted: "was given up too soon, 3.01s"}},
		"restarted, and not made":  {probe, replace, reel{unready: 1, ended: 6, again: 7, lasts: 30}, map[int]string{acted: "was started again"}},
		"a failing one is kept":    {probe, replace, reel{unready: 1, well: 19, lasts: 30}, map[int]string{acted: "is given up: false"}},

		"Probe, None is obeyed": {probe, none, reel{unready: 1, well: 21, lasts: 40}, nil},
		"None, and it is ended": {probe, none, reel{unready: 1, ended: 6, again: 7, lasts: 40}, map[int]string{acted: "was given up or ended, 6.01s"}},
		"None, and replaced":    {probe, none, reel{unready: 1, gone: 8, made: 9, lasts: 40}, map[int]string{acted: "was given up or ended, 8.01s"}},
		"None, and never well":  {probe, none, reel{unready: 1, lasts: 40}, map[int]string{recovered: "2 of 4 instances are ready"}},
	} {
		a := ailing(c.signal, c.action)
		if c.action == none {
			a.mode.ActAfter = 0
		}
		if c.signal == exit && c.action == replace {
			a.mode.ActAfter = 0
		}
		rolls := c.reel.rolls()
		for i, r := range a.verdicts(rolls) {
			want, wrong := c.broken[i]
			if wrong && want == "" {
				continue // broken or not, by the way that it is broken
			}
			if wrong != (r.Verdict == history.Violated) || wrong && !strings.Contains(r.Violation.Sentence, want) {
				t.Errorf("%s: %s: %s, %+v, %s", name, r.Property, r.Verdict, r.Violation, r.Why)
			}
			if len(c.broken) == 0 && r.Verdict != history.Pass {
				t.Errorf("%s: %s: %s: %s", name, r.Property, r.Verdict, r.Why)
			}
		}
		if len(c.broken) == 0 && !a.over(rolls, began) {
			t.Errorf("%s: all is seen, and it waits", name)
		}
	}
}

// TestWhatAMachineThatStoodStillLeavesOpenIsNoViolation.
func TestWhatAMachineThatStoodStillLeavesOpenIsNoViolation(t *testing.T) {
	for name, c := range map[string]struct {
		a *ailment
		f reel
	}{
		"late, and nobody looked for as long": {ailing(candor.SignalExit, candor.ActionRestart), reel{ended: 0.1, again: 18, blind: 11, lasts: 30}},
		"another, and nobody looked":          {ailing(candor.SignalExit, candor.ActionRestart), reel{ended: 0.1, again: 2.2, blind: 3, other: 4, lasts: 30}},
		"nobody looked before":                {ailing(candor.SignalExit, candor.ActionRestart), reel{blind: -1, again: 2.2, lasts: 30}},
	} {
		for _, r := range c.a.verdicts(c.f.rolls()) {
			if r.Verdict == history.Violated {
				t.Errorf("%s: %s: %+v", name, r.Property, r.Violation)
			}
		}
	}
	a := ailing(candor.SignalExit, candor.ActionRestart)
	a.alone = false
	if r := a.acted(reel{ended: 0.1, lasts: 30}.rolls()); r.Verdict != history.Inconclusive || !strings.Contains(r.Why, "other faults") {
		t.Errorf("%+v", r)
	}
	a.uids = nil
	for _, r := range a.verdicts(reel{lasts: 5}.rolls()) {
		if r.Verdict != history.Inconclusive || r.Why != "no instance was befallen" {
			t.Errorf("%+v", r)
		}
	}
}

// TestProbesThatFailForAShortTimeHaveNoConsequence, and what the machine may have made
// longer says nothing, unless the probe was seen to succeed before something was done.
func TestProbesThatFailForAShortTimeHaveNoConsequence(t *testing.T) {
	for want, reels := range map[history.Verdict][]reel{
		history.Pass:         {{lasts: 10}, {unready: 1, well: 2.5, lasts: 10}},
		history.Violated:     {{unready: 1, ended: 2, again: 3, lasts: 10}, {unready: 1, well: 2.5, ended: 5.5, again: 6, lasts: 10}, {gone: 1, made: 2, lasts: 10}},
		history.Inconclusive: {{unready: 1, ended: 5.5, again: 6, lasts: 10}},
	} {
		for _, f := range reels {
			a := ailing(candor.SignalProbe, candor.ActionRestart)
			a.meant = 1800 * time.Millisecond
			a.to = began.Add(a.meant)
			if r := a.borne(f.rolls()); !a.short() || r.Verdict != want {
				t.Errorf("%+v: want %s: %+v", f, want, r)
			}
		}
	}
}

// TestASlotThatRestsIsNoDelay: of an instance that was made a short while before.
func TestASlotThatRestsIsNoDelay(t *testing.T) {
	f := reel{ended: 0.1, gone: 0.2, made: 22, lasts: 40}
	a := ailing(candor.SignalExit, candor.ActionReplace)
	a.mode.ActAfter = 0
	a.ages(f.rolls()) // seen for the first time a second before
	if r := a.acted(f.rolls()); a.young < 8*time.Second || r.Verdict != history.Pass {
		t.Errorf("young for %s: %+v", a.young, r)
	}
}

// TestEachAilmentIsMatchedWithWhatWasMeant: those by signals of which the policy says
// nothing are left out, and still end what is judged of the one before.
func TestEachAilmentIsMatchedWithWhatWasMeant(t *testing.T) {
	second := scenario.Duration(time.Second)
	r := report.Report{Began: began, Scenario: scenario.Scenario{Faults: []scenario.Fault{
		{Kind: scenario.EndInstances, At: 9 * second, Count: 2, Times: 1},
		{Kind: scenario.FailProbes, At: 2 * second, For: second, Count: 1, Times: 2, Every: 3 * second},
	}}}
	for i, at := range []time.Duration{2 * time.Second, 5 * time.Second, 9 * time.Second} {
		band := report.Band{Kind: string(scenario.FailProbes), From: at, To: at + time.Second, Befell: []report.Befallen{{Instance: "a", UID: fmt.Sprint(i)}}}
		if i == 2 {
			band.Kind = string(scenario.EndInstances)
		}
		r.Faults = append(r.Faults, band)
	}
	probe, exit := candor.FailureMode{Signal: candor.SignalProbe}, candor.FailureMode{Signal: candor.SignalExit, Action: candor.ActionReplace}
	all := ailments(&r, &candor.FailurePolicySpec{Modes: []candor.FailureMode{probe, exit}})
	if len(all) != 3 || !all[0].probe || all[1].meant != time.Second || all[2].probe || all[2].nth != 2 || all[2].mode.Action != candor.ActionReplace || !all[2].alone {
		t.Fatalf("%+v", all)
	}
	if !all[1].next.Equal(began.Add(9*time.Second)) || !all[2].next.IsZero() || all[2].uids[0] != "2" {
		t.Errorf("%+v", all)
	}
	all = ailments(&r, &candor.FailurePolicySpec{Modes: []candor.FailureMode{probe}})
	if len(all) != 2 || !all[1].next.Equal(began.Add(9*time.Second)) {
		t.Errorf("%+v", all)
	}
	r.Scenario.Faults = append(r.Scenario.Faults, scenario.Fault{Kind: scenario.Kill, Target: "leader"})
	if ailments(&r, &candor.FailurePolicySpec{Modes: []candor.FailureMode{probe}})[0].alone {
		t.Error("a leader was killed, and the fault is judged as if nothing else had been done")
	}
}
