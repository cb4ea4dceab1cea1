package servertest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// findingsOf are the findings of a promise.
func findingsOf(t testing.TB, k *client.Client, promise string) []candor.FindingStatus {
	t.Helper()
	ctx, cancel := within(10 * time.Second)
	defer cancel()
	page, err := k.List(ctx, candor.KindFindings, client.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out []candor.FindingStatus
	for _, o := range page.Objects {
		var f candor.FindingStatus
		if len(o.Status) > 0 {
			if err := json.Unmarshal(o.Status, &f); err != nil {
				t.Fatal(err)
			}
		}
		if f.Promise == promise {
			out = append(out, f)
		}
	}
	return out
}

// toldBy is what a server's status says of a promise; empty for nothing.
func toldBy(t testing.TB, k *client.Client, promise string) client.Finding {
	t.Helper()
	ctx, cancel := within(10 * time.Second)
	defer cancel()
	s, err := k.Cluster().Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Findings {
		if f.Reason == promise {
			return f
		}
	}
	return client.Finding{}
}

// Nobody schedules, so what fits is not placed, and that is found and told with its
// cause. A server that may schedule comes back: it is placed, and the finding closes.
func TestAStuckPlacementIsFoundAndToldUntilItMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unable := []string{tenure.DutyControllers, tenure.DutyVerify, tenure.DutyJanitor}
		able := server.DutyNames()
		c := servertest.Start(t, servertest.WithServers(1), servertest.WithData(t.TempDir()), servertest.WithServer("n1", func(config *server.Config) { config.Duties = unable }))
		startFleet(t, c, 2)
		k := c.Client(t)
		must(t, k, workload("web", 1, ""))
		c.Until("the finding is there", func() bool {
			all := findingsOf(t, k, "PendingIsPlaced")
			return len(all) == 1 && all[0].Open
		})
		f := findingsOf(t, k, "PendingIsPlaced")[0]
		if f.Subject.Name != "web-0" || f.Safety || f.Owner != "duty schedule" || f.Cause != "nobody holds duty schedule" || f.Repair == "" {
			t.Errorf("found %+v", f)
		}
		if told := toldBy(t, k, "PendingIsPlaced"); told.Subject != "instances/default/web-0" || !strings.Contains(told.Message, f.Cause) || told.NextAction != f.Repair {
			t.Errorf("status tells %+v", told)
		}
		c.Stop("n1")
		unable = able
		c.Restart("n1")
		c.Until("the instance is placed and the finding closes", func() bool {
			all := findingsOf(t, k, "PendingIsPlaced")
			return len(all) == 1 && !all[0].Open
		})
		if f := findingsOf(t, k, "PendingIsPlaced")[0]; f.Until <= f.Since {
			t.Errorf("closed as %+v", f)
		}
		if told := toldBy(t, k, "PendingIsPlaced"); told != (client.Finding{}) {
			t.Errorf("status still tells %+v", told)
		}
	})
}

// What fits nowhere is told of its workload, with what is in the way; once a node comes
// that is big enough it is placed, and the finding closes. What was decided on the way is
// the same when it is taken again.
func TestWhatFitsNowhereIsToldUntilItFits(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(1))
		startFleet(t, c, 2)
		k := c.Client(t)
		must(t, k, workload("big", 3, `,"nodeSelector":{"size":"big"}`))
		time.Sleep(50 * time.Second)
		if early := findingsOf(t, k, "DesiredIsPossible"); len(early) != 0 {
			t.Errorf("told before its time: %+v", early)
		}
		c.Until("the finding is there", func() bool { return len(findingsOf(t, k, "DesiredIsPossible")) == 1 })
		f := findingsOf(t, k, "DesiredIsPossible")[0]
		if !f.Open || f.Subject != (candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "big"}) || f.Cause != "of 2 nodes: 2 SelectorMismatch" {
			t.Errorf("found %+v", f)
		}
		ctx, cancel := within(10 * time.Second)
		defer cancel()
		if _, err := k.RegisterNodes(ctx, []client.NodeRegistration{{
			Name: "giant", Labels: map[string]string{"size": "big"}, Observed: candor.NodeObserved{Capacity: capacity(64, 64), Session: "s", Simulated: true},
		}}); err != nil {
			t.Fatal(err)
		}
		c.Until("they are placed and the finding closes", func() bool {
			all := findingsOf(t, k, "DesiredIsPossible")
			return len(all) == 1 && !all[0].Open
		})
		for _, name := range []string{"big-0", "big-1", "big-2"} {
			ref := candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: name}
			c.Until(name+" is placed", func() bool {
				_, s, there := statusOf[candor.InstanceStatus](t, k, ref)
				return there && s.Node == "giant"
			})
			replayed, err := k.ReplayDecision(ctx, client.WhichDecision{Instance: ref})
			if err != nil || !replayed.Replay.Same {
				t.Errorf("%s: replayed %+v, %v", name, replayed, err)
			}
		}
	})
}
