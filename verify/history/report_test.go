package history_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

const little = `
0..10 c PUT a=1 r2
20..30 c PUT a=2 unknown
40..50 d GET node=n1/b1 a=1 r2
40..50 e GET failed=NOT_LEADER a=-`

// TestTooLittleIsInconclusive: a fault that did not bite, a class that was not
// read, a search without time.
func TestTooLittleIsInconclusive(t *testing.T) {
	h := script(t, little)
	for says, c := range map[string]history.Checker{
		"4 operations, want 5":                        history.Load{Operations: 5},
		"1 acknowledged writes, want 2":               history.Load{Acknowledged: 2},
		"1 writes of unknown outcome, want 2":         history.Load{Unknown: 2},
		"0 BOUNDED reads, want 1":                     history.Load{Reads: map[candor.Freshness]int{candor.FreshnessBounded: 1}},
		"0 operations refused with TIMED_OUT, want 1": history.Load{Refused: map[candor.Reason]int{candor.ReasonTimedOut: 1}},
		"1 nodes that answered, want 3":               history.Load{Nodes: 3},
		"0 times that a fault bit: isolation, want 1": history.Load{Bites: []history.Bite{{Fault: "isolation"}}},
		"checked 1 items; 2 are wanted":               history.Turns{Least: 2},
		"took too long":                               history.Registers{Search: time.Nanosecond},
		"key a has 3 operations; 2 can be checked":    history.Registers{Longest: 2},
		"there is no such guarantee":                  history.Session{Guarantee: "luck"},
		"checked 0 items; 1 are wanted":               history.AskedBound{},
	} {
		if r := c.Check(h); r.Verdict != history.Inconclusive || !strings.Contains(r.Why, says) {
			t.Errorf("%s: %s, %q", says, r.Verdict, r.Why)
		}
	}
	enough := history.Load{
		Operations: 4, Acknowledged: 1, Unknown: 1, Nodes: 1, Boots: 1, Refused: map[candor.Reason]int{candor.ReasonNotLeader: 1},
		Reads: map[candor.Freshness]int{candor.FreshnessStrong: 1}, Bites: []history.Bite{{Fault: "isolation", Seen: 1}},
	}
	if r := enough.Check(h); r.Verdict != history.Pass {
		t.Errorf("enough: %+v", r)
	}
}

func TestTheVerdictIsTheWorst(t *testing.T) {
	h := script(t, little)
	pass, inconclusive := history.Turns{}, history.AskedBound{}
	violated := history.RealTime{}
	broken := script(t, little+"\n60..70 c PUT a=3 r1")
	for want, s := range map[history.Verdict]history.Summary{
		history.Pass:     history.Check(h, pass, violated),
		history.Violated: history.Check(broken, inconclusive, violated, pass),
	} {
		if got := s.Verdict(); got != want {
			t.Errorf("%s, want %s:\n%s", got, want, s)
		}
	}
	for _, s := range []history.Summary{history.Check(h), history.Check(h, pass, inconclusive)} {
		if got := s.Verdict(); got != history.Inconclusive {
			t.Errorf("%s, want INCONCLUSIVE:\n%s", got, s)
		}
	}
}

// TestASummaryIsAReport: what a report file takes from it.
func TestASummaryIsAReport(t *testing.T) {
	data, err := json.Marshal(history.Check(script(t, little), history.Turns{}, history.AskedBound{}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"census":{"operations":4,"clients":3,"nodes":1,"boots":1,"reads":{"STRONG":1},"writes":{"OK":1,"UNKNOWN":1},"refused":{"NOT_LEADER":1,"OUTCOME_UNKNOWN":1}},` +
		`"reports":[{"property":"each write has its turn","verdict":"PASS","checked":1,"violations":0},` +
		`{"property":"bounded reads keep the bound asked for","verdict":"INCONCLUSIVE","checked":0,"why":"checked 0 items; 1 are wanted","violations":0}]}`
	if string(data) != want {
		t.Errorf("got\n%s\nwant\n%s", data, want)
	}
}
