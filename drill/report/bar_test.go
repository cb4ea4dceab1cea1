package report

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

// TestBarsAreOfFaultsThatWereAloneAndBit, of leaders where they are about leaders.
func TestBarsAreOfFaultsThatWereAloneAndBit(t *testing.T) {
	s := time.Second
	fault := func(kind, target string, from, to, pause time.Duration) Band {
		return Band{Kind: kind, Targets: []string{target}, From: from, To: to, Leader: "n1", Pause: pause, Bite: Bite{Seen: 1}}
	}
	blunt := fault("KILL", "n1", 60*s, 61*s, 50*s)
	blunt.Bite.Seen = 0
	a := &Report{Verdict: history.Pass, Scenario: scenario.Scenario{Name: "one"}, Faults: []Band{
		fault("KILL", "n1", 0, 2*s, s), fault("KILL", "n2", 10*s, 12*s, 9*s), // a follower
		fault("TRANSFER", "n1", 20*s, 20*s, 30*time.Millisecond),
		fault("KILL", "n1", 40*s, 42*s, 8*s), fault("PAUSE", "n2", 41*s, 43*s, 8*s), // not alone
		blunt,
	}}
	b := &Report{Verdict: history.Violated, Why: []string{"a promise"}, Faults: []Band{fault("KILL", "n1", 0, 2*s, 3*s)}}
	bars := Bars([]*Report{a, b})
	if bars[0].Samples != 2 || bars[0].Value != s || bars[1].Value != 3*s || bars[0].Kept() || bars[1].Kept() {
		t.Errorf("crashes: %+v", bars[:2])
	}
	if bars[2].Samples != 1 || !bars[2].Kept() || bars[3].Samples != 0 || bars[3].Kept() {
		t.Errorf("others: %+v", bars[2:])
	}
	var text strings.Builder
	if err := WriteSummary(&text, []*Report{a, b}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 drills: 1 PASS, 1 VIOLATION, 0 INCONCLUSIVE", "not measured", "a promise"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in:\n%s", want, text.String())
		}
	}
}
