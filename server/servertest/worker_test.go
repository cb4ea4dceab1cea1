package servertest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

func registrationOf(name, session string) client.NodeRegistration {
	return client.NodeRegistration{
		Name: name, Labels: map[string]string{candor.LabelZone: "a"}, Taints: []candor.Taint{{Key: "gpu", Effect: candor.NoSchedule}},
		Observed: candor.NodeObserved{Capacity: candor.Resources{{Name: "cpu", Value: 2000}, {Name: "memory", Value: 4 << 30}}, Session: session, BootID: "b"},
	}
}

func TestAWorkerRegistersItsNodeAndKeepsItAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		registered, err := k.RegisterNodes(t.Context(), []client.NodeRegistration{registrationOf("w1", "one.1"), registrationOf("Bad Name", "one.1")})
		noError(t, err)
		node := registered[0].Node
		if registered[0].DetectWithin != 15*time.Second || registered[0].HeartbeatInterval != 5*time.Second || node.Metadata.Labels[candor.LabelZone] != "a" ||
			!strings.Contains(string(node.Spec), `"NoSchedule"`) || !strings.Contains(string(node.Observed), `"memory":"4Gi"`) {
			t.Errorf("%+v: %s, %s", registered[0], node.Spec, node.Observed)
		}
		if r := registered[1].Refused; r == nil || r.Reason != candor.ReasonInvalid {
			t.Errorf("a node of no name: %v", r)
		}
		_, err = k.RegisterNodes(t.Context(), []client.NodeRegistration{registrationOf("w1", "one.1")})
		noError(t, err)
		history, err := k.History(t.Context(), candor.Ref{Kind: candor.KindNodes, Name: "w1"})
		noError(t, err)
		written := 0
		for _, v := range history.Versions {
			if v.Object.Cause.Reason == "WORKER_REGISTERED" {
				written++
			}
		}
		if written != 2 {
			t.Errorf("%d versions: want one that made the node and one that observed it, and none for the repetition", written)
		}

		heard, err := k.Heartbeat(t.Context(), []client.Beat{
			{Node: "w1", UID: node.Metadata.UID, Session: "one.1"}, {Node: "w1", UID: node.Metadata.UID, Session: "one.0"}, {Node: "w2", UID: "u", Session: "one.1"},
		})
		noError(t, err)
		if heard.Refused[0] != nil || heard.Refused[1] == nil || heard.Refused[2] == nil || heard.ClusterTime == 0 {
			t.Errorf("%v", heard.Refused)
		}
		if lease, ok := c.Leader().Machine().View().Lease(node.Metadata.UID); !ok || lease.Session != "one.1" {
			t.Errorf("%+v", lease)
		}
	})
}

func TestANodeWhoseWorkerLivesIsTakenOverByThatWorkerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		register := func(session string) *candor.Error {
			registered, err := k.RegisterNodes(t.Context(), []client.NodeRegistration{registrationOf("w1", session)})
			noError(t, err)
			return registered[0].Refused
		}
		if err := register("one.1"); err != nil {
			t.Fatal(err)
		}
		if err := register("one.2"); err != nil {
			t.Errorf("the same worker, started again: %v", err)
		}
		if err := register("two.1"); err == nil || err.Reason != candor.ReasonNodeHeld || !strings.Contains(err.Message, "another worker has node w1") {
			t.Errorf("another worker: %v", err)
		}
		time.Sleep(20 * time.Second)
		if _, err := k.Create(t.Context(), &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: "later"}}); err != nil {
			t.Fatal(err)
		}
		if err := register("two.1"); err != nil {
			t.Errorf("another worker, of one that is silent: %v", err)
		}
	})
}
