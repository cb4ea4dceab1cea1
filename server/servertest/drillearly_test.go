package servertest_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/history"
)

// twoHistories is a stage whose clients learn that it has two histories, from the one on
// whose number is given.
type twoHistories struct {
	*servertest.Stage
	from, count atomic.Int64
}

func (s *twoHistories) Client(servers ...string) (*client.Client, error) {
	if n := s.count.Add(1); n >= s.from.Load() {
		return nil, candor.Errorf(candor.ReasonTokenConflict, "one index in two terms")
	}
	return s.Stage.Client(servers...)
}

// TestAPromiseThatIsBrokenBeforeTheFirstFaultHasAnAccount as every other has: a verdict,
// the record, and how to run it again.
func TestAPromiseThatIsBrokenBeforeTheFirstFaultHasAnAccount(t *testing.T) {
	s := &scenario.Scenario{
		Name: "early", Summary: "Nothing is done.", Cluster: scenario.Cluster{Servers: 1},
		Load: scenario.Load{For: scenario.Duration(time.Second), Workloads: []scenario.Workload{{Name: "registers"}}},
	}
	synctest.Test(t, func(t *testing.T) {
		stage := &twoHistories{Stage: servertest.StartStage(t, t.TempDir(), s)}
		// The observer's and that of wellness come before those of the traffic.
		stage.from.Store(3)
		outcome, err := drill.Run(t.Context(), drill.Options{Scenario: s, Stage: stage, Seed: 5, Version: "test", Command: "again"})
		noError(t, err)
		r := &outcome.Report
		if r.Verdict != history.Violated || r.Command != "again" || r.Seed != 5 || len(r.Violations) == 0 || outcome.Evidence == nil {
			t.Errorf("%+v", r)
		}
		if text := textOf(t, r); !strings.Contains(text, "no promise is broken to the drill itself") || !strings.Contains(text, "one index in two terms") {
			t.Errorf("%s", text)
		}
	})
}
