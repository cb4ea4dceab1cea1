package workloads

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

func TestADigestIsOfWhatATemplateMeans(t *testing.T) {
	grace := int32(10)
	bare := candor.InstanceTemplate{Command: []string{"run"}, Health: &candor.Probe{TCP: 80}, Spread: []candor.Spread{{Topology: "candor/zone"}}}
	full := candor.InstanceTemplate{
		Command: []string{"run"}, Packing: candor.PackingSpread, Restart: candor.RestartAlways, GraceSeconds: &grace,
		Labels: map[string]string{}, Spread: []candor.Spread{{Topology: "candor/zone", MaxSkew: 1}},
		Health: &candor.Probe{TCP: 80, PeriodSeconds: 10, TimeoutSeconds: 1, FailureThreshold: 3},
	}
	if a, b := Digest(&bare), Digest(&full); a != b || len(a) != 12 {
		t.Errorf("%s and %s", a, b)
	}
	if bare.Restart != "" || bare.Spread[0].MaxSkew != 0 || bare.Health.PeriodSeconds != 0 {
		t.Errorf("the template was modified: %+v", bare)
	}
	full.Env = map[string]string{"A": "1"}
	if Digest(&bare) == Digest(&full) {
		t.Error("another environment is the same template")
	}
}

func TestAStrategyRoundsAsItIsWritten(t *testing.T) {
	none, half := &candor.Share{}, &candor.Share{Count: 50, Percent: true}
	for _, c := range []struct {
		replicas    int32
		update      candor.UpdateStrategy
		least, most int
		noStep      bool
	}{
		{10, candor.UpdateStrategy{}, 8, 13, false},
		{1, candor.UpdateStrategy{}, 1, 2, false},
		{3, candor.UpdateStrategy{MaxUnavailable: half, MaxSurge: half}, 2, 5, false},
		{3, candor.UpdateStrategy{MaxUnavailable: none, MaxSurge: none}, 2, 3, true},
		{2, candor.UpdateStrategy{MaxUnavailable: &candor.Share{Count: 9}, MaxSurge: none}, 0, 2, false},
		{0, candor.UpdateStrategy{MaxUnavailable: none, MaxSurge: none}, 0, 0, false},
		{-1, candor.UpdateStrategy{}, 0, 0, false},
	} {
		s := strategyOf(&candor.WorkloadSpec{Replicas: c.replicas, Update: c.update})
		if s.least() != c.least || s.most() != c.most || s.noStep != c.noStep {
			t.Errorf("%d replicas, %+v: least %d most %d no step %t, want %+v", c.replicas, c.update, s.least(), s.most(), s.noStep, c)
		}
	}
}

func class(t *testing.T, name string, spec candor.PriorityClassSpec) *kinds.PriorityClass {
	t.Helper()
	c, err := kinds.ReadPriorityClass(informer.NewItem(candor.KindPriorityClasses, &candor.Object{Metadata: candor.Metadata{Name: name}, Spec: kinds.Encode(spec)}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPriorityIsOfTheClassThatIsNamedOrTheHighestDefault(t *testing.T) {
	all := []*kinds.PriorityClass{
		class(t, "low", candor.PriorityClassSpec{Value: 1, Default: true}),
		class(t, "high", candor.PriorityClassSpec{Value: 5, Default: true}),
		class(t, "gold", candor.PriorityClassSpec{Value: 9, Preempts: true}),
	}
	for name, want := range map[string]int32{"": 5, "gold": 9, "low": 1} {
		if got, ok := Priority(&candor.InstanceTemplate{PriorityClass: name}, all); !ok || got.Value != want {
			t.Errorf("%q: %+v %t, want %d", name, got, ok, want)
		}
	}
	if _, ok := Priority(&candor.InstanceTemplate{PriorityClass: "tin"}, all); ok {
		t.Error("a class that does not exist was found")
	}
	if got, ok := Priority(&candor.InstanceTemplate{}, nil); !ok || got.Value != 0 {
		t.Errorf("no class at all: %+v %t", got, ok)
	}
}

func TestNamesHaveTheSmallestFreeNumbersWhoeverHasTheOthers(t *testing.T) {
	v := small(t, 3)
	v.Exists = func(name string) bool { return name == "web-1" || name == "web-4" }
	var got []string
	for _, op := range Decide(v).Write.Ops {
		if create, ok := op.(controller.Create); ok {
			got = append(got, create.Object.Metadata.Name)
		}
	}
	if fmt.Sprint(got) != "[web-0 web-2 web-3]" {
		t.Errorf("%v", got)
	}
}

func small(t *testing.T, replicas int32) *View {
	t.Helper()
	w, err := kinds.ReadWorkload(informer.NewItem(candor.KindWorkloads, &candor.Object{
		Metadata: candor.Metadata{Namespace: "default", Name: "web", UID: "w", Generation: 1, ResourceVersion: 4},
		Spec: kinds.Encode(candor.WorkloadSpec{Replicas: replicas, Template: candor.InstanceTemplate{
			Command: []string{"run"}, Labels: map[string]string{"app": "web", candor.LabelWorkload: "mine"},
		}}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return &View{
		Workload: w, Now: 1, Exists: func(string) bool { return false },
		Schedulable: func(*candor.InstanceTemplate) (bool, string) { return false, "no node has 4 cores" },
	}
}

func TestAnInstanceIsMadeAsItsTemplateSays(t *testing.T) {
	v := small(t, 1)
	v.Workload.Spec.Template.PriorityClass = "gold"
	v.Classes = []*kinds.PriorityClass{class(t, "gold", candor.PriorityClassSpec{Value: 9, Preempts: true})}
	plan := Decide(v)
	made := plan.Write.Ops[0].(controller.Create).Object
	i, err := kinds.ReadInstance(informer.NewItem(candor.KindInstances, made))
	if err != nil {
		t.Fatal(err)
	}
	m := made.Metadata
	if m.Labels["app"] != "web" || m.Labels[candor.LabelWorkload] != "web" || m.Labels[candor.LabelRevision] != Digest(&v.Workload.Spec.Template) {
		t.Errorf("labels %v", m.Labels)
	}
	if o := i.Controller(); o == nil || o.UID != "w" || !o.BlockOwnerDeletion || i.Spec.Priority != 9 || !i.Spec.Preempts {
		t.Errorf("owner %+v, spec %+v", o, i.Spec)
	}
	if b := plan.Write.Because; b.Ref != v.Workload.Ref || b.Revision != 4 {
		t.Errorf("because %+v", b)
	}
	op := plan.Write.Ops[1].(controller.UpdateStatus)
	if op.UID != "w" || op.ResourceVersion != 4 || !strings.Contains(string(op.Status), "no node has 4 cores") {
		t.Errorf("status %+v %s", op, op.Status)
	}
}

func TestAWriteIsNoLargerThanATurnTakes(t *testing.T) {
	v := small(t, 1000)
	if n := len(Decide(v).Write.Ops); n != page+1 {
		t.Errorf("%d operations, want %d and the status", n, page)
	}
	v.Workload.Spec.Template.Env = map[string]string{"BIG": strings.Repeat("x", 100<<10)}
	v.Workload.Object.Spec = kinds.Encode(v.Workload.Spec)
	if n := len(Decide(v).Write.Ops); n != 3 {
		t.Errorf("%d operations with 100 KiB each, want 2 and the status", n)
	}
}

func TestEveryStepChangesTheStatusSoThatTheNextStandsOnIt(t *testing.T) {
	v := small(t, 0)
	rest := Decide(v).Write.Ops[0].(controller.UpdateStatus).Status
	v.Workload.Object.Status = rest
	if err := json.Unmarshal(rest, v.Workload.Status); err != nil {
		t.Fatal(err)
	}
	if plan := Decide(v); plan.Write != nil {
		t.Fatalf("it does not come to rest: %s", plan.Message)
	}
	ended, err := kinds.ReadInstance(informer.NewItem(candor.KindInstances, &candor.Object{
		Metadata: candor.Metadata{Namespace: "default", Name: "web-0", UID: "i", ResourceVersion: 5, Owners: []candor.OwnerReference{owner(v.Workload)}},
		Status:   kinds.Encode(candor.InstanceStatus{Phase: candor.InstanceLost}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	v.Instances = append(v.Instances, ended)
	ops := Decide(v).Write.Ops
	if len(ops) != 2 || ops[1].(controller.UpdateStatus).ResourceVersion != 4 {
		t.Fatalf("%+v", ops)
	}
}

// live is an instance of the workload's present template, placed, and ready or not.
func live(t *testing.T, v *View, n int, revision string, ready bool) *kinds.Instance {
	t.Helper()
	status := candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "w1", NodeUID: "n1"}
	if ready {
		status.Conditions = candor.Conditions{{Type: candor.ConditionReady, Status: candor.ConditionTrue, LastTransitionTime: kinds.Time(1)}}
	}
	i, err := kinds.ReadInstance(informer.NewItem(candor.KindInstances, &candor.Object{
		Metadata: candor.Metadata{
			Namespace: "default", Name: fmt.Sprintf("web-%d", n), UID: fmt.Sprintf("i%d", n), ResourceVersion: 5, CreateRevision: uint64(5 + n),
			Labels: map[string]string{candor.LabelWorkload: "web", candor.LabelRevision: revision}, Owners: []candor.OwnerReference{owner(v.Workload)},
		},
		Status: kinds.Encode(status),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func deleted(p Plan) string {
	var names []string
	for _, op := range p.Write.Ops {
		if op, ok := op.(controller.Delete); ok {
			names = append(names, op.Ref.Name)
		}
	}
	return strings.Join(names, " ")
}

func TestOfOldOnesThatAreOfNoUseSoManyStayAsWouldBeNeeded(t *testing.T) {
	v := small(t, 4)
	v.Workload.Spec.Update = candor.UpdateStrategy{MaxUnavailable: &candor.Share{Count: 1}, MaxSurge: &candor.Share{}}
	for n := range 4 {
		v.Instances = append(v.Instances, live(t, v, n, "old", false))
	}
	if got := deleted(Decide(v)); got != "web-3" {
		t.Errorf("ended %q, want web-3 alone: three might become available yet", got)
	}
}

func TestTheOrderInWhichInstancesAreGivenUp(t *testing.T) {
	v := small(t, 1)
	revision := Digest(&v.Workload.Spec.Template)
	v.Instances = []*kinds.Instance{live(t, v, 0, revision, true), live(t, v, 1, revision, true), live(t, v, 2, revision, false), live(t, v, 3, revision, true)}
	unplaced := live(t, v, 4, revision, false)
	unplaced.Status.Node, unplaced.Object.Metadata.CreateRevision = "", 1
	v.Instances = append(v.Instances, unplaced)
	if got := deleted(Decide(v)); got != "web-4 web-2 web-3 web-1" {
		t.Errorf("%s, want no place, not ready, newest", got)
	}
}

func TestFewerReplicasInTheMiddleOfARolloutThatIsStuckEndWhatIsOfNoUse(t *testing.T) {
	v := small(t, 2)
	revision := Digest(&v.Workload.Spec.Template)
	v.Workload.Spec.Update = candor.UpdateStrategy{MaxUnavailable: &candor.Share{Count: 1}, MaxSurge: &candor.Share{}}
	v.Instances = []*kinds.Instance{live(t, v, 0, "old", true), live(t, v, 1, revision, false), live(t, v, 2, revision, false)}
	if got := deleted(Decide(v)); got != "web-2" {
		t.Errorf("ended %q, want web-2: two may live, and web-0 is the one that is available", got)
	}
}

func TestFewerReplicasWhileARolloutIsPausedEndWhatIsOfNoUse(t *testing.T) {
	v := small(t, 2)
	revision := Digest(&v.Workload.Spec.Template)
	v.Workload.Spec.Paused = true
	v.Workload.Spec.Update = candor.UpdateStrategy{MaxUnavailable: &candor.Share{Count: 1}, MaxSurge: &candor.Share{}}
	v.Instances = []*kinds.Instance{
		live(t, v, 0, "old", true), live(t, v, 1, "old", false), live(t, v, 2, revision, true), live(t, v, 3, revision, false),
	}
	if got := deleted(Decide(v)); got != "web-1 web-3" {
		t.Errorf("ended %q, want web-1 web-3: the others are available", got)
	}
}
