package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

const sound = `name: one
summary: The leader is killed.
load:
  for: 5s
  workloads:
    - name: registers
faults:
  - {kind: KILL, at: 1s, for: 2s, target: leader}
`

// TestAScenarioIsFilledIn with what it leaves out.
func TestAScenarioIsFilledIn(t *testing.T) {
	s, err := Parse("one.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	f := s.Faults[0]
	if s.Cluster.Servers != 3 || s.Expect.Acknowledged != 100 || f.Times != 1 || f.End() != Duration(3*time.Second) {
		t.Errorf("%+v", s)
	}
}

// TestWhatIsNoScenarioIsRefusedWithItsPlace in the file.
func TestWhatIsNoScenarioIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"KILL", "KIL", `one.yaml:8: fault 1 (KIL): no such kind: want one of ADD,`},
		{"for: 2s, target: leader", "for: 2s", "one.yaml:8: fault 1 (KILL): want target"},
		{"target: leader", "target: n9x", `target "n9x": want leader,`},
		{"target: leader", "target: leader, delay: 5ms", "delay means nothing to it"},
		{"for: 2s", "for: 8s", "it would last until 9s, and the load ends after 5s"},
		{"for: 2s", "for: 2s, times: 2, every: 1s", "every: want more than for"},
		{"at: 1s", "at: -1s", "a time is negative"},
		{"KILL, at: 1s, for: 2s", "LINK, at: 1s, for: 2s", "want one of delay, jitter, loss, reorder, duplicate"},
		{"KILL, at: 1s, for: 2s", "LINK, at: 1s, for: 2s, loss: 101", "101 %: want 0 to 100"},
		{"KILL, at: 1s, for: 2s", "PARTITION, at: 1s, for: 2s, shape: STAR", `shape "STAR"`},
		{"for: 5s", "for: soon", "one.yaml: "},
		{"name: one", "nom: one", "nom"},
		{"name: one", "name: One", "name"},
		{"name: one", "name: one\nname: two", "name"},
		{"summary: The leader is killed.", "cluster: {servers: 9}\nsummary: x", "cluster.servers 9: want 1 to 7"},
		{"    - name: registers\n", "", "load.workloads: want at least one"},
		{"load:", "cluster: {workers: 21}\nload:", "cluster.workers 21: want at most 20"},
		{"load:", "cluster: {workers: 1, policy: {kind: workloads.candor, modes: []}}\nload:", "want a mode by Exit or Probe"},
		{"load:", "cluster: {policy: {kind: workloads.candor, modes: [{failure: Crash, signal: Exit}]}}\nload:", "want cluster.workers"},
		{"load:", "cluster: {nodes: 1, policy: {kind: nodes.candor, modes: []}}\nload:", "want a mode by Heartbeat"},
		{"load:", "cluster: {policy: {kind: nodes.candor, modes: [{failure: Crash, signal: Heartbeat}]}}\nload:", "want cluster.nodes"},
		{"load:", "cluster: {policy: {kind: nodes.candor, objects: a=b}}\nload:", "objects means nothing to it"},
		{"load:", "cluster: {policy: {kind: leases.candor}}\nload:", "is for leases.candor, want one for nodes.candor or workloads.candor"},
		{"{kind: KILL, at: 1s, for: 2s, target: leader}", "{kind: END_INSTANCES, at: 1s, count: 1, target: n1}", "target means nothing to it"},
		{"{kind: KILL, at: 1s, for: 2s, target: leader}", "{kind: FAIL_PROBES, at: 1s, count: 1}", "want for"},
		{"faults:", "expect: {gap: {reads: 1s}}\nfaults:", `expect.gap: "reads" is no class`},
		{"faults:", "expect: {leader: dies}\nfaults:", `expect.leader "dies"`},
	} {
		_, err := Parse("one.yaml", []byte(strings.Replace(sound, c.old, c.new, 1)))
		if candor.ReasonOf(err) != candor.ReasonInvalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}
