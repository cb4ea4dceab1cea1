package freshness

import (
	"fmt"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

var observations = []attribute[Observation]{
	{"view only", []value[Observation]{
		{"REMOVED", func(o *Observation) { o.ViewOnly = ReasonRemoved }},
		{"QUARANTINED, OPERATOR", func(o *Observation) { o.ViewOnly = ReasonOperator }},
		{"no", func(o *Observation) { o.ViewOnly = "" }},
	}},
	{"view", []value[Observation]{
		{"none", func(o *Observation) { o.Applied = 0 }},
		{"yes", func(o *Observation) { o.Applied = 100 }},
	}},
	{"doing", []value[Observation]{
		{"installing", func(o *Observation) { o.Installing, o.Reloading, o.Recovering = true, false, false }},
		{"reloading", func(o *Observation) { o.Installing, o.Reloading, o.Recovering = false, true, false }},
		{"replaying", func(o *Observation) { o.Installing, o.Reloading, o.Recovering = false, false, true }},
		{"nothing", func(o *Observation) { o.Installing, o.Reloading, o.Recovering = false, false, false }},
	}},
	{"leader's log", []value[Observation]{
		{"begins too late", func(o *Observation) { o.LastLog, o.LeaderFirst = 100, 102 }},
		{"holds the next entry", func(o *Observation) { o.LastLog, o.LeaderFirst = 100, 101 }},
		{"not known", func(o *Observation) { o.LastLog, o.LeaderFirst = 100, 0 }},
	}},
	{"lag", []value[Observation]{
		{"not known", func(o *Observation) { o.Lag = nil }},
		{"beyond policy", func(o *Observation) { o.Lag = new(uint64(11)) }},
		{"within", func(o *Observation) { o.Lag = new(uint64(10)) }},
	}},
	{"applied proof", []value[Observation]{
		{"none", func(o *Observation) { o.ProofAge = nil }},
		{"past the window", func(o *Observation) { o.ProofAge = new(3*time.Second + 1) }},
		{"old", func(o *Observation) { o.ProofAge = new(time.Second + 1) }},
		{"fresh", func(o *Observation) { o.ProofAge = new(time.Second) }},
	}},
	{"node", []value[Observation]{
		{"drains", func(o *Observation) { o.Draining, o.Leader = true, true }},
		{"knows no leader", func(o *Observation) { o.Draining, o.Leader = false, false }},
		{"knows the leader", func(o *Observation) { o.Draining, o.Leader = false, true }},
	}},
}

func assessed(describe func(Condition) string) func(Observation) string {
	policy := Policy{FreshLag: 10, FreshAge: time.Second, Window: 3 * time.Second}
	return func(o Observation) string { return describe(Assess(&o, &policy)) }
}

// Both tables are what docs/protocol.md shows, to the letter.
func TestEveryConditionIsWhatTheTablesSay(t *testing.T) {
	for _, c := range []struct {
		path     string
		describe func(Condition) string
	}{
		{"testdata/catchup.md", func(c Condition) string {
			state := c.CatchUp
			if state == "" {
				state = "not known"
			}
			return fmt.Sprintf("%s, %s", state, c.Action)
		}},
		{"testdata/mode.md", func(c Condition) string {
			if c.Reason == "" {
				return string(c.Mode)
			}
			return fmt.Sprintf("%s, %s", c.Mode, c.Reason)
		}},
	} {
		count := 0
		text := table(observations, rows(Observation{}, observations, assessed(c.describe), &count))
		golden(t, c.path, text)
		included(t, text)
	}
}

// A lag or an age that nobody proved never makes a node FRESH or HEALTHY.
func TestWhatIsNotProvenIsNeverFresh(t *testing.T) {
	policy := DefaultPolicy()
	c := Assess(&Observation{Applied: 9, LastLog: 9, Leader: true}, &policy)
	if c.CatchUp != "" || c.Mode != candor.ModeRootUnavailable {
		t.Errorf("without any proof a node calls itself %s, %s", c.CatchUp, c.Mode)
	}
}
