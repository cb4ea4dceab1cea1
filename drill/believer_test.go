package drill

import (
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

// says is what a server answers that believes in an era of tso, or in none.
func says(node string, era uint64) *client.Tenures {
	return &client.Tenures{Witness: &candor.Witness{NodeID: node}, Here: []client.DutyStatus{{Duty: "tso", Acting: era > 0, Believes: era > 0, Era: era}}}
}

// TestWhatServersSayOfThemselvesIsHeldAgainstThem: a belief that was told twice overlaps
// with another's, or with a later one of somebody else between.
func TestWhatServersSayOfThemselvesIsHeldAgainstThem(t *testing.T) {
	type told struct {
		node string
		era  uint64
	}
	for name, c := range map[string]struct {
		said    []told
		beliefs int
		want    history.Verdict
	}{
		"one after the other":      {[]told{{"a", 1}, {"a", 1}, {"a", 0}, {"b", 2}, {"b", 2}, {"b", 2}}, 2, history.Pass},
		"once is nothing sure":     {[]told{{"a", 1}, {"b", 2}, {"a", 0}, {"b", 0}}, 0, ""},
		"both at once":             {[]told{{"a", 1}, {"b", 2}, {"a", 1}, {"b", 2}, {"a", 1}, {"b", 2}}, 2, history.Violated},
		"again after another":      {[]told{{"a", 1}, {"a", 1}, {"b", 2}, {"b", 2}, {"a", 1}}, 2, history.Violated},
		"the same, with a pause":   {[]told{{"a", 1}, {"a", 1}, {"a", 0}, {"a", 1}, {"a", 1}}, 2, history.Pass},
		"its own next era":         {[]told{{"a", 1}, {"a", 1}, {"a", 2}, {"a", 2}}, 2, history.Pass},
		"a new server of its name": {[]told{{"a", 1}, {"a", 1}, {"a'", 0}, {"b", 2}, {"b", 2}}, 2, history.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := evidence.NewRecorder()
			servers := map[string]*believer{}
			for _, one := range c.said {
				if at := one.node[:1]; servers[at] == nil {
					servers[at] = &believer{recorder: recorder}
				}
				asked := recorder.Stamp()
				servers[one.node[:1]].told(says(one.node, one.era), asked)
			}
			e, err := recorder.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Beliefs) != c.beliefs {
				t.Errorf("%d beliefs, want %d: %+v", len(e.Beliefs), c.beliefs, e.Beliefs)
			}
			verdict := history.Verdict("")
			for _, r := range evidence.Check(e, evidence.Demands{Only: []evidence.Name{evidence.Tenures}}).Reports {
				if r.Property == "one holder at a time believes that it holds a duty" {
					verdict = r.Verdict
				}
			}
			if verdict != c.want {
				t.Errorf("%q, want %q", verdict, c.want)
			}
		})
	}
}
