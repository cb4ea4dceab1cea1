package coverage

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sight(t interface{ Fatal(args ...any) }, text, of string) Sight {
	s, err := lifecycle.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return Sight{Step: s, Of: of}
}

func bytesOf(t interface{ Fatal(args ...any) }, c *Coverage) string {
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Runs may be merged in any order and in any groups: the file is the same, byte for
// byte, and holds what it was made from.
func TestMergingDoesNotDependOnItsOrder(t *testing.T) {
	steps := []string{"duty/HELD->SEALED:seal", "era/ACTIVE->SEALED:seal", "object/LIVE->GONE:delete", "x/A->B:odd"}
	rapid.Check(t, func(rt *rapid.T) {
		runs := make([]*Coverage, 3)
		for i := range runs {
			runs[i] = New()
			for n := range rapid.IntRange(0, 6).Draw(rt, "sightings") {
				step := rapid.SampledFrom(steps).Draw(rt, "step")
				runs[i].Add(rapid.SampledFrom(Sources()).Draw(rt, "source"), fmt.Sprintf("run %d index %d", i, n), sight(rt, step, ""))
			}
			if rapid.Bool().Draw(rt, "explored") {
				runs[i].Reach(Reached{Step: steps[0], By: "model", Path: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 1, 3).Draw(rt, "path")})
			}
		}
		left, right, files := New(), New(), New()
		for i := range runs {
			left.Merge(runs[i])
			right.Merge(runs[len(runs)-1-i])
			read, err := Read(strings.NewReader(bytesOf(rt, runs[i])))
			if err != nil {
				rt.Fatal(err)
			}
			files.Merge(read)
		}
		if diff := cmp.Diff(bytesOf(rt, left), bytesOf(rt, right)); diff != "" {
			rt.Errorf("in another order:\n%s", diff)
		}
		if diff := cmp.Diff(bytesOf(rt, left), bytesOf(rt, files)); diff != "" {
			rt.Errorf("through files:\n%s", diff)
		}
	})
}

func TestAFileThatIsNoneIsRefused(t *testing.T) {
	for text, want := range map[string]candor.Reason{
		``:                               candor.ReasonDataCorrupt,
		`{"format":"candor-coverage/2"}`: candor.ReasonFeatureLevel,
		`{"format":"candor-history/1"}`:  candor.ReasonFeatureLevel,
		`{"format":"candor-coverage/1","seen":[{"step":"a/b->c:d","source":"Q","count":1}]}`: candor.ReasonDataCorrupt,
		`{"format":"candor-coverage/1","seen":[{"step":"a/b->c:d","source":"S","count":0}]}`: candor.ReasonDataCorrupt,
		`{"format":"candor-coverage/1","seen":[{"step":"a/b->c:d","source":"S","count":2}]}`: "",
	} {
		if _, err := Read(strings.NewReader(text)); candor.ReasonOf(err) != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// The unknown region is what the explorer reaches and nobody saw, the nearest first.
func TestTheUnknownRegionIsWhatWasReachedAndNotSeen(t *testing.T) {
	c := New()
	for step, length := range map[string]int{"duty/HELD->SEALED:seal": 3, "duty/HELD->KEPT:handover": 2, "duty/NEVER_HELD->HELD:campaign": 1} {
		c.Reach(Reached{Step: step, By: "model", Path: make([]string, length+1)})
		c.Reach(Reached{Step: step, By: "model", Path: make([]string, length)})
	}
	c.Add(Simulation, "seed 1 index 1", sight(t, "duty/NEVER_HELD->HELD:campaign", "ids"))
	c.Add(Process, "index 7", sight(t, "duty/NEVER_HELD->HELD:campaign", "tso"), sight(t, "duty/HELD->HELD:renew", "tso"))
	c.Add(Simulation, "seed 1 index 2", sight(t, "object/ABSENT->LIVE:create", "x"))
	s := c.Summary()
	line := s.Lifecycles[0]
	var unknown []string
	for _, r := range line.Unknown {
		unknown = append(unknown, fmt.Sprintf("%s in %d", r.Step, len(r.Path)))
	}
	if diff := cmp.Diff([]string{"duty/HELD->KEPT:handover in 2", "duty/HELD->SEALED:seal in 3"}, unknown); diff != "" {
		t.Error(diff)
	}
	if line.Reached != 3 || line.Any != 2 || line.Seen[Simulation] != 1 || line.Seen[Process] != 2 || !line.Explored || s.Lifecycles[6].Explored {
		t.Errorf("%+v", line)
	}
	// Of four observations two are alone of their step.
	if s.Observations != 4 || s.Singletons != 2 || s.Estimate != 0.5 || line.Estimate != 1.0/3 || s.Lifecycles[1].Estimate != 1 {
		t.Errorf("chance %+v of all, %+v of duties", s.Chance, line.Chance)
	}
}

// What the explorer takes is declared; of duties it is all there is.
func TestTheExplorerStaysInsideWhatIsDeclared(t *testing.T) {
	c := New()
	if err := c.Explore(); err != nil {
		t.Fatal(err)
	}
	s := c.Summary()
	for _, r := range s.Astray {
		t.Errorf("%s is not declared: %s: %s", r.Step, r.By, strings.Join(r.Path, "; "))
	}
	// Models leave out what takes more eras than they have, what other kinds of executor
	// do, and times of days.
	want := map[lifecycle.Name]int{lifecycle.Duty: 19, lifecycle.Era: 9, lifecycle.Transition: 11, lifecycle.Member: 5, lifecycle.Leadership: 3}
	got := map[lifecycle.Name]int{}
	for _, l := range s.Lifecycles {
		if l.Explored {
			got[l.Lifecycle] = l.Reached
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reached (-want +got):\n%s", diff)
	}
	if len(s.Outside) != 0 || s.Observations != 0 || s.Unknown() != 19+9+11+5+3 {
		t.Errorf("an explorer sees nothing: %d outside, %d observations, %d unknown", len(s.Outside), s.Observations, s.Unknown())
	}
}

// Simulations see most of what the explorer reaches, and nothing that is not declared.
func TestSimulationsStayInsideWhatIsDeclared(t *testing.T) {
	c := New()
	if err := c.Simulate(t.Context(), 1, 100, 0); err != nil {
		t.Fatal(err)
	}
	s := c.Summary()
	for _, x := range s.Outside {
		t.Errorf("%s is not declared: %s", x.Step, x.First)
	}
	for _, l := range s.Lifecycles {
		switch l.Lifecycle {
		case lifecycle.Duty, lifecycle.Era, lifecycle.Transition, lifecycle.Leadership, lifecycle.Object, lifecycle.Request:
			if 3*l.Any < l.Declared && l.Lifecycle != lifecycle.Transition || l.Any == 0 {
				t.Errorf("%s: %d of %d steps were seen", l.Lifecycle, l.Any, l.Declared)
			}
		default:
		}
	}
}

func TestAServersConditionIsFollowedThroughItsBoots(t *testing.T) {
	var c Conditions
	var got []string
	for _, x := range []Condition{
		{"n1", "b1", candor.CatchUpUnavailable, candor.ModeRootUnavailable},
		{"n1", "b1", candor.CatchUpRecovering, candor.ModeRootUnavailable},
		{"n2", "b9", "", candor.ModeHealthy},
		{"n1", "b1", candor.CatchUpFresh, candor.ModeHealthy},
		{"n1", "b1", candor.CatchUpFresh, candor.ModeHealthy},
		{"n1", "b2", "", candor.ModeViewOnly},
		{"n1", "b2", candor.CatchUpUnavailable, candor.ModeViewOnly},
	} {
		for _, s := range c.See(x) {
			text := s.Of + " " + s.String()
			if !declaredSteps()[s.String()] {
				text += ", not declared"
			}
			got = append(got, text)
		}
	}
	want := []string{
		"n1 catch-up/STOPPED->UNAVAILABLE:start", "n1 mode/STOPPED->ROOT_UNAVAILABLE:observe",
		"n1 catch-up/UNAVAILABLE->RECOVERING:observe",
		"n2 catch-up/STOPPED->UNKNOWN:observe", "n2 mode/STOPPED->HEALTHY:observe",
		"n1 catch-up/RECOVERING->FRESH:observe", "n1 mode/ROOT_UNAVAILABLE->HEALTHY:observe",
		"n1 catch-up/FRESH->STOPPED:stop", "n1 mode/HEALTHY->STOPPED:stop",
		"n1 catch-up/STOPPED->UNKNOWN:observe", "n1 mode/STOPPED->VIEW_ONLY:observe",
		// A view that was there does not go within one boot.
		"n1 catch-up/UNKNOWN->UNAVAILABLE:start, not declared",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
