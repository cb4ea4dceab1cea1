package invariant_test

import (
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
)

var (
	instance = candor.Ref{Kind: candor.KindInstances, Namespace: "team", Name: "web-0"}
	node     = candor.Ref{Kind: candor.KindNodes, Name: "w1"}
)

// placing is a turn that places an instance of 2 cores on a node with 4, of which held
// are taken.
func placing(held string) *turn {
	before := &candor.Object{
		APIVersion: "candor/v1", Kind: "Instance", Spec: []byte(`{"command":["x"],"resources":{"cpu":"2"}}`), Status: []byte(`{"phase":"Pending"}`),
		Metadata: candor.Metadata{Name: "web-0", Namespace: "team", UID: "uid-web-0", Generation: 1, ResourceVersion: 7, CreateRevision: 5},
	}
	after := *before
	after.Metadata.ResourceVersion = 8
	after.Status = []byte(`{"phase":"Placed","node":"w1","nodeUID":"uid-w1"}`)
	after.Metadata.Labels = map[string]string{candor.LabelNode: "w1"}
	after.Metadata.Finalizers = []string{candor.FinalizerStop}
	after.Cause = &candor.Cause{Actor: candor.ActorSystem, PriorRevision: 7}
	t := begin(before, &after, invariant.SectionStatus|invariant.SectionPlace)
	t.Changes[0].Ref = instance
	t.live[node] = &candor.Object{Metadata: candor.Metadata{Name: "w1", UID: "uid-w1"}, Observed: []byte(`{"capacity":{"cpu":"4"},"session":"s"}`)}
	t.Held = func(name, uid string) candor.Resources {
		if name != "w1" || uid != "uid-w1" {
			return nil
		}
		cpu, _ := candor.ParseAmount("cpu", held)
		return candor.Resources{{Name: "cpu", Value: cpu}}
	}
	return t
}

// placed is a turn that writes the status of an instance which has its place.
func placed(status string) *turn {
	t := placing("2")
	c := t.change()
	before, after := *c.After, *c.After
	before.Metadata.ResourceVersion = 7
	after.Status = []byte(status)
	c.Before, c.After, c.Allowed = &before, &after, invariant.SectionStatus
	return t
}

func TestAPlaceIsGivenOnceAndWithinCapacity(t *testing.T) {
	const there = `"node":"w1","nodeUID":"uid-w1"`
	status := func(s string) func(*turn) { return func(t *turn) { t.change().After.Status = []byte(s) } }
	for _, row := range []struct {
		what   string
		turn   *turn
		edit   func(*turn)
		breaks string
	}{
		{"half is free", placing("2"), nil, ""},
		{"a little is missing", placing("2001m"), nil, "CapacityNotExceeded"},
		{"nothing is asked for where more is held than there is", placing("9"), func(t *turn) {
			t.change().Before.Spec, t.change().After.Spec = []byte(`{}`), []byte(`{}`)
		}, ""},
		{"of a resource that the node does not have", placing("0"), func(t *turn) {
			t.change().Before.Spec, t.change().After.Spec = []byte(`{"resources":{"gpu":1}}`), []byte(`{"resources":{"gpu":1}}`)
		}, "CapacityNotExceeded"},
		{"more than can be counted", placing("9007199254740991"), func(t *turn) {
			spec := []byte(`{"resources":{"cpu":"9007199254740991"}}`)
			t.change().Before.Spec, t.change().After.Spec = spec, spec
		}, "CapacityNotExceeded"},
		{"the node is gone", placing("0"), func(t *turn) { delete(t.live, node) }, "CapacityNotExceeded"},
		{"the node is another one", placing("0"), func(t *turn) { t.live[node].Metadata.UID = "uid-other" }, "CapacityNotExceeded"},
		{"the capacity cannot be read", placing("0"), func(t *turn) { t.live[node].Observed = []byte(`{"capacity":{"cpu":"-1"}}`) }, "CapacityNotExceeded"},
		{"needs cannot be read", placing("0"), func(t *turn) {
			t.change().Before.Spec, t.change().After.Spec = []byte(`{"resources":{"cpu":"x"}}`), []byte(`{"resources":{"cpu":"x"}}`)
		}, "CapacityNotExceeded"},

		{"it ends", placed(`{"phase":"Succeeded",` + there + `}`), nil, ""},
		{"its decision changes", placed(`{"phase":"Placed","decision":{},` + there + `}`), nil, ""},
		{"a controller places", placing("0"), func(t *turn) {
			t.change().Allowed = invariant.SectionStatus | invariant.SectionSpec
		}, "OneLivePlacementPerInstance"},
		{"it moves", placed(`{"phase":"Placed","node":"w2","nodeUID":"uid-w2"}`), func(t *turn) {
			t.change().After.Metadata.Labels = map[string]string{candor.LabelNode: "w2"}
			t.change().Allowed |= invariant.SectionPlace
			t.live[candor.Ref{Kind: candor.KindNodes, Name: "w2"}] = &candor.Object{Metadata: candor.Metadata{UID: "uid-w2"}, Observed: []byte(`{"capacity":{"cpu":"4"}}`)}
		}, "OneLivePlacementPerInstance"},
		{"it moves to the next node of the name", placed(`{"phase":"Placed","node":"w1","nodeUID":"uid-w1b"}`), func(t *turn) { t.live[node].Metadata.UID = "uid-w1b" }, "OneLivePlacementPerInstance"},
		{"its place is taken", placed(`{"phase":"Pending"}`), func(t *turn) {
			t.change().After.Metadata.Labels = nil
			t.change().Allowed |= invariant.SectionPlace
		}, "OneLivePlacementPerInstance"},
		{"it waits at its place", placed(`{"phase":"Pending",` + there + `}`), nil, "OneLivePlacementPerInstance"},
		{"it is placed nowhere", placing("0"), func(t *turn) {
			status(`{"phase":"Placed"}`)(t)
			t.change().After.Metadata.Labels = nil
		}, "OneLivePlacementPerInstance"},
		{"half a place", placing("0"), status(`{"phase":"Placed","node":"w1"}`), "OneLivePlacementPerInstance CapacityNotExceeded"},
		{"a phase that nobody knows", placing("0"), status(`{"phase":"Flying",` + there + `}`), "OneLivePlacementPerInstance CapacityNotExceeded"},
		{"a place behind an escape", placing("0"), status(`{"phase":"Placed","n\u006fde":"w1","nodeUID":"uid-w1"}`), "OneLivePlacementPerInstance CapacityNotExceeded"},
		{"it comes back from its end", placed(`{"phase":"Placed",` + there + `}`), func(t *turn) {
			t.change().Before.Status = []byte(`{"phase":"Lost",` + there + `}`)
		}, "OneLivePlacementPerInstance"},
		{"it ends twice", placed(`{"phase":"Succeeded",` + there + `}`), func(t *turn) {
			t.change().Before.Status = []byte(`{"phase":"Failed",` + there + `}`)
		}, "OneLivePlacementPerInstance"},
		{"its label says another node", placed(`{"phase":"Succeeded",` + there + `}`), func(t *turn) {
			t.change().After.Metadata.Labels = map[string]string{candor.LabelNode: "w2"}
			t.change().Allowed |= invariant.SectionSpec
		}, "OneLivePlacementPerInstance"},
		{"born with a label", placing("0"), func(t *turn) {
			c := t.change()
			c.Before, c.Allowed = nil, invariant.SectionSpec|invariant.SectionLife
			c.After.Status, c.After.Metadata.CreateRevision, c.After.Cause.PriorRevision = nil, 8, 0
		}, "OneLivePlacementPerInstance"},
		{"it asks for less while it is there", placed(`{"phase":"Placed",` + there + `}`), func(t *turn) {
			c := t.change()
			c.After.Spec, c.Allowed = []byte(`{"command":["x"],"resources":{"cpu":"1"}}`), invariant.SectionSpec
			c.After.Metadata.Generation++
		}, "OneLivePlacementPerInstance"},

		{"the placing turn writes another label", placing("0"), func(t *turn) { t.change().After.Metadata.Labels["app"] = "x" }, "SectionWriter"},
		{"the placing turn adds another finalizer", placing("0"), func(t *turn) {
			t.change().After.Metadata.Finalizers = []string{candor.FinalizerStop, "test/hold"}
		}, "SectionWriter"},
		{"a status sets the label", placed(`{"phase":"Succeeded",` + there + `}`), func(t *turn) { t.change().Before.Metadata.Labels = nil }, "SectionWriter"},
		{"the owner is marked", cascade(), func(t *turn) {
			t.change().After.Metadata.Finalizers = append(stored().Metadata.Finalizers, candor.FinalizerForeground)
		}, ""},
		{"the mark goes with another finalizer", cascade(), func(t *turn) {
			t.change().Before.Metadata.Finalizers = append(stored().Metadata.Finalizers, candor.FinalizerForeground)
			t.change().After.Metadata.Finalizers = nil
		}, "SectionWriter"},
		{"the cascade lets the owner go", remove(), func(t *turn) {
			t.change().Before.Metadata.Finalizers, t.change().System = []string{candor.FinalizerForeground}, true
		}, ""},
		{"somebody lets the owner go", remove(), func(t *turn) {
			t.change().Before.Metadata.Finalizers = []string{candor.FinalizerForeground}
		}, "FinalizersHold"},
	} {
		if row.edit != nil {
			row.edit(row.turn)
		}
		judge(t, row.what, row.turn, row.breaks)
	}
}

func BenchmarkCapacityNotExceeded(b *testing.B) { benchmarkCheck(b, "CapacityNotExceeded") }

func BenchmarkOneLivePlacementPerInstance(b *testing.B) {
	benchmarkCheck(b, "OneLivePlacementPerInstance")
}

// benchmarkCheck runs one invariant over a turn that places one instance.
func benchmarkCheck(b *testing.B, name string) {
	t := placing("2")
	t.change().After.Metadata.CreationTime = time.Time{}
	for _, check := range invariant.All() {
		if check.Name != name {
			continue
		}
		for b.Loop() {
			if v := check.Run(&t.Turn); v != nil {
				b.Fatal(v)
			}
		}
	}
}
