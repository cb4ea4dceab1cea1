package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// film is what looks every 100 ms would see: a cluster that does this much later what it
// does, counted from the second at which two nodes of three fall silent.
type film struct {
	// unready, act and real are when nodes are not Ready, when the action is done, and when
	// desired is real again; 0 for never.
	unready, act, real float64
	// heard is when they are heard again, lasts the end of the film.
	heard, lasts float64
	action       string
	// opens is when somebody opens a closed node, loses when an instance is given up that
	// should not be.
	opens, loses float64
}

func (f film) samples() []sample {
	passed := func(at, t float64) bool { return at != 0 && t >= at }
	var all []sample
	for i := -10; i < int(f.lasts*10); i++ {
		t := float64(i) / 10
		at := began.Add(time.Duration(t * float64(time.Second)))
		s := sample{asked: at, told: at.Add(10 * time.Millisecond), silent: map[string]bool{}, closed: map[string]bool{}, on: map[string]int{"w1": 2, "w2": 1, "w3": 1}, wanted: 4, ready: 4}
		silent := passed(f.unready, t) && !passed(f.heard, t)
		if silent {
			s.silent["w1"], s.silent["w2"] = true, true
			s.ready = 1
		}
		if passed(f.act, t) && f.action == candor.ActionEvict {
			s.on = map[string]int{"w3": 4}
			s.ready = 1
			if passed(f.real, t) {
				s.ready = 4
			}
		}
		if passed(f.act, t) && f.action == candor.ActionCordon {
			s.closed["w1"], s.closed["w2"] = true, !passed(f.opens, t)
		}
		if passed(f.loses, t) {
			s.on["w2"] = 0
		}
		all = append(all, s)
	}
	return all
}

// judged holds a film against a policy of 3 s and 2 s, and 20 s to recover.
func judged(action string, f film) []history.Report {
	s := silence{
		mode: candor.FailureMode{Action: action, DetectWithin: candor.Duration(3 * time.Second), ActAfter: candor.Duration(2 * time.Second), RecoverWithin: candor.Duration(20 * time.Second)},
		from: began, to: began.Add(time.Duration(f.heard * float64(time.Second))), count: 2, alone: true,
	}
	samples := f.samples()
	s.nodes = s.affected(samples)
	return []history.Report{s.known(samples), s.acted(samples), s.recovered(samples)}
}

// TestAPolicyThatIsObeyedPassesAndEachWayNotToIsFound.
func TestAPolicyThatIsObeyedPassesAndEachWayNotToIsFound(t *testing.T) {
	const known, acted, recovered = 0, 1, 2
	for name, c := range map[string]struct {
		action string
		film   film
		broken map[int]string
	}{
		"Evict is obeyed":           {candor.ActionEvict, film{unready: 2.5, act: 4.5, real: 6, heard: 17, lasts: 30}, nil},
		"it was known too soon":     {candor.ActionEvict, film{unready: 1, act: 4.5, real: 6, heard: 17, lasts: 30}, map[int]string{known: "not Ready 1.01s after"}},
		"it was known too late":     {candor.ActionEvict, film{unready: 14, act: 14.5, real: 15.5, heard: 17, lasts: 30}, map[int]string{known: "2 of 2 silent nodes are Ready after 13.1s"}},
		"nobody knew":               {candor.ActionEvict, film{heard: 17, lasts: 30}, map[int]string{known: "2 of 2 silent nodes are Ready"}},
		"given up too soon":         {candor.ActionEvict, film{unready: 2.5, act: 3, real: 6, heard: 17, lasts: 30}, map[int]string{acted: "3 of 3 instances were given up 3.01s after"}},
		"given up too late":         {candor.ActionEvict, film{unready: 2.5, act: 16, real: 16.5, heard: 17, lasts: 30}, map[int]string{acted: "3 of 3 instances are still counted as living on silent nodes after 15.1s"}},
		"not given up":              {candor.ActionEvict, film{unready: 2.5, heard: 17, lasts: 30}, map[int]string{acted: "still counted"}},
		"not real in time":          {candor.ActionEvict, film{unready: 2.5, act: 4.5, real: 21, heard: 17, lasts: 30}, map[int]string{recovered: "after 20.1s 1 of 4 instances are ready"}},
		"Cordon is obeyed":          {candor.ActionCordon, film{unready: 2.5, act: 4.5, heard: 17, lasts: 30}, nil},
		"closed too soon":           {candor.ActionCordon, film{unready: 2.5, act: 3, heard: 17, lasts: 30}, map[int]string{acted: "closed 3.01s after"}},
		"closed too late":           {candor.ActionCordon, film{unready: 2.5, act: 16, heard: 17, lasts: 30}, map[int]string{acted: "is open after 15.1s"}},
		"not closed":                {candor.ActionCordon, film{unready: 2.5, heard: 17, lasts: 30}, map[int]string{acted: "is open after"}},
		"opened when heard again":   {candor.ActionCordon, film{unready: 2.5, act: 4.5, heard: 17, opens: 18, lasts: 30}, map[int]string{acted: "node w2 is open again after 18.01s"}},
		"closed, and given up too":  {candor.ActionCordon, film{unready: 2.5, act: 4.5, heard: 17, loses: 6, lasts: 30}, map[int]string{acted: "1 of 3 instances on silent nodes were given up"}},
		"None is obeyed":            {candor.ActionNone, film{unready: 2.5, heard: 17, lasts: 30}, nil},
		"None, and it is given up":  {candor.ActionNone, film{unready: 2.5, heard: 17, loses: 6, lasts: 30}, map[int]string{acted: "given up"}},
		"None, and it is closed":    {candor.ActionNone, film{unready: 2.5, act: 4.5, heard: 17, lasts: 30}, map[int]string{acted: "is cordoned after"}},
		"never whole again":         {candor.ActionNone, film{unready: 2.5, heard: 17, lasts: 16}, nil},
		"all goes on, and too late": {candor.ActionCordon, film{unready: 2.5, act: 4.5, heard: 40, lasts: 60}, nil},
	} {
		f := c.film
		if f.action = c.action; name == "None, and it is closed" {
			f.action = candor.ActionCordon
		}
		for i, r := range judged(c.action, f) {
			want, wrong := c.broken[i]
			if wrong != (r.Verdict == history.Violated) || wrong && !strings.Contains(r.Violation.Sentence, want) {
				t.Errorf("%s: %s: %s, %+v, %s", name, r.Property, r.Verdict, r.Violation, r.Why)
			}
			if len(c.broken) == 0 && f.lasts > 20 && r.Verdict != history.Pass {
				t.Errorf("%s: %s: %s: %s", name, r.Property, r.Verdict, r.Why)
			}
		}
	}
}

// TestWhatOtherFaultsMayHaveDelayedIsNoViolation.
func TestWhatOtherFaultsMayHaveDelayedIsNoViolation(t *testing.T) {
	s := silence{mode: candor.FailureMode{Action: candor.ActionEvict, DetectWithin: candor.Duration(3 * time.Second)}, from: began, to: began.Add(17 * time.Second), count: 2}
	if r := s.known(film{heard: 17, lasts: 30}.samples()); r.Verdict != history.Inconclusive || !strings.Contains(r.Why, "other faults") {
		t.Errorf("%+v", r)
	}
}

// TestAShortSilenceHasNoConsequence, and one that a busy machine made longer says nothing.
func TestAShortSilenceHasNoConsequence(t *testing.T) {
	s := silence{mode: candor.FailureMode{DetectWithin: candor.Duration(3 * time.Second)}, from: began, to: began.Add(1200 * time.Millisecond), meant: 1200 * time.Millisecond, count: 2}
	for want, f := range map[history.Verdict]film{
		history.Pass:         {lasts: 6},
		history.Violated:     {unready: 1, heard: 1.3, lasts: 6},
		history.Inconclusive: {unready: 2.8, heard: 3, lasts: 6},
	} {
		if r := s.borne(f.samples()); r.Verdict != want {
			t.Errorf("want %s: %+v", want, r)
		}
	}
}

// TestTheVerdictSaysWhatWasFound.
func TestTheVerdictSaysWhatWasFound(t *testing.T) {
	kept := history.Report{Property: "kept", Checked: 1, Verdict: history.Pass}
	open := history.Report{Property: "open", Why: "nobody looked", Verdict: history.Inconclusive}
	broken := history.Report{Property: "broken", Checked: 1}
	broken.Break(func() string { return "it did not" }, nil)
	broken = broken.Conclude(1)
	for _, c := range []struct {
		was   history.Verdict
		found []history.Report
		is    history.Verdict
		why   string
	}{
		{history.Pass, []history.Report{kept}, history.Pass, "all is well"},
		{history.Pass, []history.Report{kept, open}, history.Inconclusive, "open: nobody looked"},
		{history.Pass, []history.Report{open, broken}, history.Violated, "broken: it did not"},
		{history.Inconclusive, []history.Report{broken}, history.Violated, "broken: it did not"},
		{history.Violated, []history.Report{kept, open}, history.Violated, "all is well"},
	} {
		r := report.Report{Verdict: c.was, Why: []string{"all is well"}}
		add(&r, c.found)
		if r.Verdict != c.is || r.Why[0] != c.why || len(r.Properties) != len(c.found) {
			t.Errorf("%+v: %s, %q", c, r.Verdict, r.Why)
		}
	}
}

// TestEachSilenceIsMatchedWithWhatWasMeant.
func TestEachSilenceIsMatchedWithWhatWasMeant(t *testing.T) {
	second := scenario.Duration(time.Second)
	r := report.Report{Began: began, Scenario: scenario.Scenario{Faults: []scenario.Fault{
		{Kind: scenario.LoseNodes, At: 9 * second, For: 20 * second, Count: 4, Times: 1},
		{Kind: scenario.LoseNodes, At: 2 * second, For: second, Count: 2, Times: 2, Every: 3 * second},
	}}}
	for _, at := range []time.Duration{2 * time.Second, 5 * time.Second, 9 * time.Second} {
		r.Faults = append(r.Faults, report.Band{Kind: string(scenario.LoseNodes), From: at, To: at + time.Second})
	}
	all := silences(&r)
	if len(all) != 3 || all[0].count != 2 || all[1].meant != time.Second || all[2].count != 4 || all[2].meant != 20*time.Second || !all[2].alone {
		t.Errorf("%+v", all)
	}
	r.Scenario.Faults = append(r.Scenario.Faults, scenario.Fault{Kind: scenario.Kill, Target: "leader"})
	if silences(&r)[0].alone {
		t.Error("a leader was killed, and the silence is judged as if nothing else had been done")
	}
}
