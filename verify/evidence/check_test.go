package evidence_test

import (
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/determinism"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

// TestWhatWasNotDemandedIsLeftOut, and what was is INCONCLUSIVE without items.
func TestWhatWasNotDemandedIsLeftOut(t *testing.T) {
	e := everything(t)
	e.Digests = nil
	e.Replays = nil
	for name, c := range map[string]struct {
		demands evidence.Demands
		verdict history.Verdict
		words   string
	}{
		"nothing":           {evidence.Demands{}, history.Pass, ""},
		"what there is":     {evidence.Demands{Demanded: map[evidence.Name]int{evidence.Watches: 1}}, history.Pass, ""},
		"what there is not": {evidence.Demands{Demanded: map[evidence.Name]int{evidence.Determinism: 3}}, history.Inconclusive, "checked 0 items over all properties; 3 are demanded"},
		"more of it":        {evidence.Demands{Demanded: map[evidence.Name]int{evidence.Watches: 1000}}, history.Inconclusive, "1000 are demanded"},
		"more of each":      {evidence.Demands{Least: 1000, Only: []evidence.Name{evidence.Watches}}, history.Inconclusive, "1000 are wanted"},
		"only nothing":      {evidence.Demands{Only: []evidence.Name{evidence.Determinism}}, history.Inconclusive, ""},
		"load":              {evidence.Demands{Load: &history.Load{Operations: 50}}, history.Inconclusive, "1 operations, want 50"},
	} {
		t.Run(name, func(t *testing.T) {
			s := evidence.Check(e, c.demands)
			if s.Verdict() != c.verdict || !strings.Contains(s.String(), c.words) {
				t.Errorf("%s: want %s, %q", s, c.verdict, c.words)
			}
			for i := range s.Reports {
				if s.Reports[i].Check == "" || s.Reports[i].Empty() && c.verdict == history.Pass {
					t.Errorf("%+v", s.Reports[i])
				}
			}
		})
	}
	if err := (evidence.Demands{Only: []evidence.Name{"luck"}}).Validate(); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("a check that is none: %v", err)
	}
}

// TestEachCheckFails on what it is about: none of them is wired to nothing.
func TestEachCheckFails(t *testing.T) {
	for name, spoil := range map[evidence.Name]func(e *evidence.Evidence){
		evidence.Linearizability: func(e *evidence.Evidence) {
			e.History = read(t, `"GET","items":[{"key":"k","value":"2","version":2}],"outcome":"OK","invoke":6,"return":9,`).History
		},
		evidence.Staleness: func(e *evidence.Evidence) {
			e.History = read(t, `"GET","asked":{"freshness":"BOUNDED","maxStaleness":1},"items":[{"key":"k","absent":true}],"at":1,"outcome":"OK","invoke":60,"return":90,`).History
			for o := range e.History.All() {
				if o.Kind == history.KindGet {
					o.Token.Revision = 1
				}
			}
		},
		evidence.Sessions: func(e *evidence.Evidence) {
			e.History = read(t, `"GET","items":[{"key":"k","absent":true}],"outcome":"OK","invoke":60,"return":90,`).History
			for o := range e.History.All() {
				if o.Kind == history.KindGet {
					o.Token.Revision = 1
				}
			}
		},
		evidence.Watches:    func(e *evidence.Evidence) { e.Watches[0].Batches[1].Events[0].Value = "forged" },
		evidence.Durability: func(e *evidence.Evidence) { e.Finals[0].Items[0].Value = "forged" },
		evidence.Tenures: func(e *evidence.Evidence) {
			n := e.Numbers[0]
			n.Asked, n.Told = history.Stamp{At: 1e9, Seq: 1e9}, history.Stamp{At: 2e9, Seq: 2e9}
			e.Numbers = append(e.Numbers, n)
		},
		evidence.Placements: func(e *evidence.Evidence) {
			e.Decisions[0].Replay = candor.Replay{Reason: candor.ReasonDecisionDiffers}
		},
		evidence.Determinism: func(e *evidence.Evidence) { e.Digests[1].Digest = "00" },
		evidence.Invariants:  func(e *evidence.Evidence) { e.Turns = append(e.Turns, determinism.Turns{Node: "n2", Violations: 1}) },
	} {
		t.Run(string(name), func(t *testing.T) {
			e := everything(t)
			spoil(e)
			s := evidence.Check(e, evidence.Demands{})
			found := false
			for i := range s.Reports {
				found = found || s.Reports[i].Check == string(name) && s.Reports[i].Verdict == history.Violated
			}
			if !found {
				t.Errorf("not found:\n%s", s)
			}
		})
	}
}

// read is a file with a write of k at revision 2 and another operation after it.
func read(t *testing.T, operation string) *evidence.Evidence {
	t.Helper()
	e, err := evidence.Read(strings.NewReader(header +
		`{"client":"c1","kind":"CREATE","items":[{"key":"k","value":"1"}],"outcome":"OK","invoke":0,"return":5,"token":{"term":1,"index":7,"revision":2}}` + "\n" +
		`{"client":"c1","kind":` + operation + `"token":{"term":1,"index":7,"revision":2}}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestNumbersAreHeldAgainstTheEras that the cluster keeps.
func TestNumbersAreHeldAgainstTheEras(t *testing.T) {
	number := func(era, first uint64, at int64) evidence.Number {
		return evidence.Number{Duty: tenure.DutyTSO, Holder: "server/a", Era: era, First: first, Count: 5, Asked: history.Stamp{At: at}, Told: history.Stamp{At: at + 1}}
	}
	for name, c := range map[string]struct {
		numbers []evidence.Number
		want    history.Verdict
	}{
		"growing":    {[]evidence.Number{number(1, 1, 10), number(2, 6, 20)}, history.Pass},
		"twice":      {[]evidence.Number{number(1, 1, 10), number(1, 3, 20)}, history.Violated},
		"backward":   {[]evidence.Number{number(1, 20, 10), number(1, 1, 20)}, history.Violated},
		"era behind": {[]evidence.Number{number(2, 1, 10), number(1, 6, 20)}, history.Violated},
	} {
		t.Run(name, func(t *testing.T) {
			e := everything(t)
			e.Numbers = c.numbers
			s := evidence.Check(e, evidence.Demands{Only: []evidence.Name{evidence.Tenures}})
			for i := range s.Reports {
				if r := &s.Reports[i]; strings.HasPrefix(r.Property, "numbers") && r.Verdict != c.want {
					t.Errorf("%+v, want %s", r, c.want)
				}
			}
		})
	}
}
