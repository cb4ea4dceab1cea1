package nodes

import (
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/policies"
	"github.com/candor-plane/candor/informer"
)

const second = int64(1e9)

func node(t *testing.T, status candor.NodeStatus) *kinds.Node {
	t.Helper()
	n, err := kinds.ReadNode(informer.NewItem(candor.KindNodes, &candor.Object{
		Metadata: candor.Metadata{Name: "w1", UID: "n1", Generation: 1, ResourceVersion: 3}, Status: kinds.Encode(status),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func heardAt(seconds int64) Lease { return Lease{BeatAt: seconds * second, Heard: true} }

func TestTheNextLookIsAtTheNextDeadline(t *testing.T) {
	silent := candor.NodeStatus{Conditions: candor.Conditions{{Type: candor.ConditionReady, Status: candor.ConditionFalse, LastTransitionTime: kinds.Time(50 * second)}}}
	for _, c := range []struct {
		name   string
		status candor.NodeStatus
		lease  Lease
		now    int64
		holds  bool
		reason string
		next   int64
		lost   bool
	}{
		{"fresh", candor.NodeStatus{}, heardAt(100), 114 * second, true, candor.WhyHeartbeatFresh, 115 * second, false},
		{"just missed", candor.NodeStatus{}, heardAt(100), 115 * second, true, candor.WhyHeartbeatMissed, 145 * second, false},
		{"missed, and nothing is there", candor.NodeStatus{}, heardAt(100), 115 * second, false, candor.WhyHeartbeatMissed, 0, false},
		{"time is over", candor.NodeStatus{}, heardAt(100), 145 * second, true, candor.WhyHeartbeatMissed, 0, true},
		{"never heard, first look", candor.NodeStatus{}, Lease{}, 100 * second, true, candor.WhyNeverHeard, 145 * second, false},
		{"never heard since", silent, Lease{}, 94 * second, true, candor.WhyNeverHeard, 95 * second, false},
		{"never heard for too long", silent, Lease{}, 95 * second, true, candor.WhyNeverHeard, 0, true},
		{"the clock of the view is behind the beat", candor.NodeStatus{}, heardAt(100), 90 * second, true, candor.WhyHeartbeatFresh, 115 * second, false},
	} {
		v := &View{Node: node(t, c.status), Lease: c.lease, Now: c.now}
		h := listen(v)
		if h.reason != c.reason || h.next(v, c.holds) != c.next || h.lost(c.now) != c.lost {
			t.Errorf("%s: %s, next %d, lost %t", c.name, h.reason, h.next(v, c.holds), h.lost(c.now))
		}
	}
}

func TestAPolicyThatDoesNotEvictLosesNothing(t *testing.T) {
	p, err := kinds.ReadFailurePolicy(informer.NewItem(candor.KindFailurePolicies, &candor.Object{
		Metadata: candor.Metadata{Name: "default-nodes"},
		Spec: kinds.Encode(candor.FailurePolicySpec{Kind: candor.KindNodes, Modes: []candor.FailureMode{
			{Failure: candor.FailurePartition, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(5 * second), Action: candor.ActionNone},
		}}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	v := &View{Node: node(t, candor.NodeStatus{}), Policies: []*kinds.FailurePolicy{p}, Lease: heardAt(100), Now: 1000 * second}
	if h := listen(v); h.fresh || h.lost(v.Now) || h.next(v, true) != 0 || h.detected != 105*second {
		t.Errorf("%+v", h)
	}
}

// A worker beats as it was told to. A policy that gives it less time is told to it with
// the answer to its next beat, and holds from that one on.
func TestAShorterPolicyWaitsForTheBeatThatTellsOfIt(t *testing.T) {
	p, err := kinds.ReadFailurePolicy(informer.NewItem(candor.KindFailurePolicies, &candor.Object{
		Metadata: candor.Metadata{Name: "default-nodes"},
		Spec: kinds.Encode(candor.FailurePolicySpec{Kind: candor.KindNodes, Modes: []candor.FailureMode{
			{Failure: candor.FailurePartition, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(3 * second), Action: candor.ActionEvict, ActAfter: candor.Duration(2 * second)},
		}}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		promised time.Duration
		now      int64
		fresh    bool
		lost     bool
		next     int64
	}{
		{"it was told 15 s", 15 * time.Second, 104 * second, true, false, 107 * second},
		{"the promise is nearly over", 15 * time.Second, 115*second - 1, true, false, 115 * second},
		{"the promise is over", 15 * time.Second, 115 * second, false, false, 117 * second},
		{"the action is as soon as the policy says", 15 * time.Second, 117 * second, false, true, 0},
		{"it was told 3 s", 3 * time.Second, 103*second - 1, true, false, 103 * second},
		{"it was told 3 s, and they are over", 3 * time.Second, 103 * second, false, false, 105 * second},
		{"it was told 3 s, and the action is due", 3 * time.Second, 105 * second, false, true, 0},
		{"it was told less than the policy says now", time.Second, 103*second - 1, true, false, 103 * second},
		{"nothing was promised", 0, 103 * second, false, false, 105 * second},
	} {
		v := &View{
			Node: node(t, candor.NodeStatus{}), Policies: []*kinds.FailurePolicy{p}, Now: c.now,
			Lease: Lease{BeatAt: 100 * second, Promised: c.promised, Heard: true},
		}
		if h := listen(v); h.fresh != c.fresh || h.lost(c.now) != c.lost || h.next(v, true) != c.next {
			t.Errorf("%s: %+v, lost %t, next %d", c.name, h, h.lost(c.now), h.next(v, true))
		}
	}
}

func TestANodeThatReportsLessThanItHoldsIsOvercommitted(t *testing.T) {
	n := node(t, candor.NodeStatus{})
	n.Observed = &candor.NodeObserved{Capacity: candor.Resources{{Name: candor.ResourceCPU, Value: 1000}}}
	i, err := kinds.ReadInstance(informer.NewItem(candor.KindInstances, &candor.Object{
		Metadata: candor.Metadata{Namespace: "default", Name: "a", UID: "a", ResourceVersion: 9},
		Spec:     kinds.Encode(candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Resources: candor.Resources{{Name: candor.ResourceCPU, Value: 1500}}}}),
		Status:   kinds.Encode(candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "w1", NodeUID: "n1"}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	v := &View{Node: n, Instances: []*kinds.Instance{i}, Lease: heardAt(1), Now: 2 * second}
	status, _ := statusOf(v, listen(v), v.mine(), emptying{})
	c := status.Conditions.Get(candor.ConditionOvercommitted)
	if c == nil || c.Status != candor.ConditionTrue || c.Message != "its instances hold 1500m of cpu, and it has 1" || status.Instances != 1 || status.Held.String() != "cpu 1500m" {
		t.Errorf("%+v, %+v", c, status)
	}
}

// A node is cordoned at the deadline, whatever is on it, and looked at then once.
func TestCordoningIsLookedForOnceInEachSilence(t *testing.T) {
	p, err := kinds.ReadFailurePolicy(informer.NewItem(candor.KindFailurePolicies, &candor.Object{
		Metadata: candor.Metadata{Name: "default-nodes"},
		Spec: kinds.Encode(candor.FailurePolicySpec{Kind: candor.KindNodes, Modes: []candor.FailureMode{
			{Failure: candor.FailurePartition, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(5 * second), Action: candor.ActionCordon, ActAfter: candor.Duration(10 * second)},
		}}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, mark string
		now, next  int64
		closes     bool
	}{
		{"silent, and not for long enough", "", 105 * second, 115 * second, false},
		{"it is due", "", 115 * second, 0, true},
		{"it was done", policies.Mark(100 * second), 115 * second, 0, false},
		{"it was done before it is due: the policy was longer", policies.Mark(100 * second), 105 * second, 0, false},
		{"it was done in another silence", policies.Mark(100*second - 1), 105 * second, 115 * second, false},
		{"it was done in another silence, and is due", policies.Mark(100*second - 1), 115 * second, 0, true},
	} {
		n := node(t, candor.NodeStatus{})
		n.Meta().Annotations = map[string]string{candor.AnnotationSilence: c.mark}
		v := &View{Node: n, Policies: []*kinds.FailurePolicy{p}, Lease: heardAt(100), Now: c.now}
		h := listen(v)
		if h.next(v, false) != c.next || h.closes(v) != c.closes || h.lost(c.now) {
			t.Errorf("%s: next %d, closes %t", c.name, h.next(v, false), h.closes(v))
		}
	}
}
