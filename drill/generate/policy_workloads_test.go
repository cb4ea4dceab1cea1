package generate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
)

func processMode(signal, action string, detect, act time.Duration) candor.FailureMode {
	failure := candor.FailureCrash
	if signal == candor.SignalProbe {
		failure = candor.FailureSlow
	}
	return candor.FailureMode{
		Failure: failure, Signal: signal, DetectWithin: candor.Duration(detect), Action: action, ActAfter: candor.Duration(act), RecoverWithin: candor.Duration(time.Minute),
	}
}

// TestADrillOfAPolicyForWorkloadsInjectsWhatItDeclares: probes fail for less than is called
// a failure, where one is asked in that time, with time to see what is done wrongly; then
// until the action was to be done; and processes end, once none is young.
func TestADrillOfAPolicyForWorkloadsInjectsWhatItDeclares(t *testing.T) {
	second := time.Second
	restart, replace := processMode(candor.SignalExit, candor.ActionRestart, second, second), processMode(candor.SignalExit, candor.ActionReplace, second, 0)
	slow := processMode(candor.SignalProbe, candor.ActionRestart, 3*second, 2*second)
	quick := processMode(candor.SignalProbe, candor.ActionNone, second, 0)
	for name, c := range map[string]struct {
		modes []candor.FailureMode
		// probes and ends are how many faults there are of either kind.
		probes, ends int
	}{
		"exit":       {[]candor.FailureMode{restart}, 0, 1},
		"replace":    {[]candor.FailureMode{replace}, 0, 1},
		"probe":      {[]candor.FailureMode{slow}, 2, 0},
		"at-once":    {[]candor.FailureMode{quick}, 1, 0},
		"both":       {[]candor.FailureMode{restart, slow}, 2, 1},
		"both-again": {[]candor.FailureMode{slow, replace}, 2, 1},
	} {
		p := &candor.FailurePolicySpec{Kind: candor.KindWorkloads, Objects: "tier=web", Modes: c.modes}
		s, err := ForPolicy(name, p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var probes, ends []scenario.Fault
		for _, f := range s.Faults {
			switch f.Kind {
			case scenario.FailProbes:
				probes = append(probes, f)
			case scenario.EndInstances:
				ends = append(ends, f)
			default: // counted below
			}
		}
		if len(probes) != c.probes || len(ends) != c.ends || len(s.Faults) != c.probes+c.ends {
			t.Errorf("%s: %+v", name, s.Faults)
			continue
		}
		if mode := scenario.ModeBy(p, candor.SignalProbe); mode != nil {
			detect, due := time.Duration(mode.DetectWithin), time.Duration(mode.DetectWithin)+time.Duration(mode.ActAfter)
			long := probes[len(probes)-1]
			if time.Duration(long.For) <= due+10*second {
				t.Errorf("%s: probes fail for %s, and the action is due after %s", name, long.For, due)
			}
			if short := probes[0]; len(probes) > 1 && (time.Duration(short.For) >= detect || time.Duration(short.For) <= probeEvery || time.Duration(long.At-short.At) <= due) {
				t.Errorf("%s: short %+v, long %+v", name, short, long)
			}
		}
		for _, f := range ends {
			if f.End() != s.Faults[len(s.Faults)-1].End() || replace.Action == c.modes[len(c.modes)-1].Action && time.Duration(f.At) <= slotRests {
				t.Errorf("%s: processes end at %s: %+v", name, f.At, s.Faults)
			}
		}
		if s.Cluster.Policy.Objects != "" || p.Objects != "tier=web" || s.Cluster.Residents() <= befallenInstances {
			t.Errorf("%s: %+v", name, s.Cluster)
		}
		if err := drill.Sound(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text, err := Text(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := scenario.Parse(name, text)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("%s is another once it is written:\n%s", name, diff)
		}
	}
}
