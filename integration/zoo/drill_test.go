//go:build zoo

package zoo_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/history"
)

// drilled runs a scenario in virtual time.
func drilled(t *testing.T, s *scenario.Scenario, seed uint64) (out *report.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		stage := servertest.StartStage(t, t.TempDir(), s)
		outcome, err := drill.Run(t.Context(), drill.Options{Scenario: s, Stage: stage, Seed: seed, Version: "test", Command: "go test"})
		if err != nil {
			t.Log(err)
			return
		}
		out = &outcome.Report
	})
	return out
}

// broken are the properties that a drill found broken, with what was seen.
func broken(r *report.Report) (found []catch) {
	if r == nil {
		return nil
	}
	for i := range r.Properties {
		if p := &r.Properties[i]; p.Verdict == history.Violated {
			found = append(found, catch{
				layer: "B", check: p.Check, property: p.Property, detail: p.Violation.Sentence,
				soon: fmt.Sprintf("in a drill %q of %s", r.Scenario.Name, r.Took.Round(1e8)),
			})
		}
	}
	return found
}

// scene is a scenario of the library, or one that is made for a mistake.
func scene(t *testing.T, name string) *scenario.Scenario {
	t.Helper()
	if text, own := scenes[name]; own {
		s, err := scenario.Parse(name+".yaml", []byte(strings.TrimLeft(text, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, err := scenario.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scenes are small, and made for what the library's seldom meet.
var scenes = map[string]string{
	"crowd": `
name: crowd
summary: Many clients write at once, so that commands share entries of the log.
load:
  for: 3s
  workloads:
    - {name: registers, clients: 16, pause: 2ms}
    - {name: transactions, clients: 4, pause: 5ms}
faults:
  - {kind: LINK, at: 100ms, for: 2s, target: all, delay: 10ms}
`,
	"followers": `
name: followers
summary: Sessions read on followers that lag.
load:
  for: 6s
  workloads:
    - {name: registers, pause: 10ms}
    - {name: readers, pause: 5ms}
faults:
  - {kind: LINK, at: 500ms, for: 4s, target: all, delay: 60ms}
`,
	"nothing-heard": `
name: nothing-heard
summary: A follower comes back, with a snapshot, to a network in which it hears nobody.
cluster:
  flags: {snapshot-bytes: "4096"}
load:
  for: 10s
  workloads:
    - {name: registers, pause: 10ms}
    - {name: readers, clients: 8, pause: 5ms}
faults:
  - {kind: KILL, at: 4s, for: 1s, target: n2}
  - {kind: PARTITION, at: 4500ms, for: 4s, target: n2, shape: ISOLATED}
`,
	"watched-cuts": `
name: watched-cuts
summary: Watches go on while their nodes say that they know less, and more again.
load:
  for: 8s
  workloads:
    - {name: watchers, pause: 5ms}
faults:
  - {kind: PARTITION, at: 1s, for: 1s, target: leader, shape: ISOLATED}
  - {kind: PARTITION, at: 3s, for: 1s, target: follower, shape: ISOLATED}
  - {kind: PARTITION, at: 5s, for: 1s, target: leader, shape: ISOLATED}
`,
	"stuck-leader": `
name: stuck-leader
summary: A leader is cut off while it waits for its disk, so that it does not know that it leads no more.
load:
  for: 6s
  workloads:
    - {name: registers, clients: 12, pause: 5ms}
faults:
  - {kind: HANG_DISK, at: 1s, for: 4s, target: leader}
  - {kind: PARTITION, at: 1050ms, for: 4s, target: leader, shape: ISOLATED}
`,
	"watched": `
name: watched
summary: Watches come and go over changes of several objects a turn.
load:
  for: 6s
  workloads:
    - {name: watchers, pause: 5ms}
    - {name: transactions, pause: 20ms}
faults:
  - {kind: LINK, at: 500ms, for: 2s, target: all, delay: 5ms}
`,
	"lost-answers": `
name: lost-answers
summary: The leader is cut off from everybody again and again while writes are under way.
load:
  for: 9s
  workloads:
    - {name: registers, clients: 12, pause: 2ms}
faults:
  - {kind: SLOW_DISK, at: 500ms, for: 8s, target: all, delay: 10ms}
  - {kind: PAUSE, at: 1s, for: 1s, target: leader}
  - {kind: PAUSE, at: 3s, for: 1s, target: leader}
  - {kind: PAUSE, at: 5s, for: 1s, target: leader}
`,
}
