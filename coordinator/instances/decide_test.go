package instances

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

func view(t *testing.T, spec candor.InstanceSpec, status candor.InstanceStatus, observed *candor.InstanceObserved, ready candor.ConditionStatus) *View {
	t.Helper()
	o := &candor.Object{
		Metadata: candor.Metadata{Namespace: "default", Name: "web-0", UID: "u", Generation: 1, ResourceVersion: 7, Finalizers: []string{"x/y", candor.FinalizerStop}},
		Spec:     kinds.Encode(spec), Status: kinds.Encode(status),
	}
	if observed != nil {
		o.Observed = kinds.Encode(observed)
	}
	i, err := kinds.ReadInstance(informer.NewItem(candor.KindInstances, o))
	if err != nil {
		t.Fatal(err)
	}
	node, err := kinds.ReadNode(informer.NewItem(candor.KindNodes, &candor.Object{
		Metadata: candor.Metadata{Name: "w1", UID: "n1", ResourceVersion: 3},
		Status:   kinds.Encode(candor.NodeStatus{Conditions: candor.Conditions{{Type: candor.ConditionReady, Status: ready}}}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return &View{Instance: i, Node: node, Now: 5}
}

var onW1 = candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "w1", NodeUID: "n1"}

func statusAfter(t *testing.T, v *View) candor.InstanceStatus {
	t.Helper()
	write, _ := Decide(v)
	if write == nil {
		return *v.Instance.Status
	}
	var status candor.InstanceStatus
	if err := json.Unmarshal(write.Ops[0].(controller.UpdateStatus).Status, &status); err != nil {
		t.Fatal(err)
	}
	return status
}

func TestReadyFollowsWhatTheWorkerSaysAndWhetherItIsHeardOf(t *testing.T) {
	code := int32(3)
	long := time.Unix(9, 0)
	for _, c := range []struct {
		observed *candor.InstanceObserved
		node     candor.ConditionStatus
		want     candor.ConditionStatus
		reason   string
	}{
		{nil, candor.ConditionTrue, candor.ConditionFalse, candor.WhyStarting},
		{&candor.InstanceObserved{State: candor.ProcessStarting}, candor.ConditionTrue, candor.ConditionFalse, candor.WhyStarting},
		{&candor.InstanceObserved{State: candor.ProcessRunning}, candor.ConditionTrue, candor.ConditionFalse, candor.WhyStarting},
		{&candor.InstanceObserved{State: candor.ProcessRunning, ReadySince: long}, candor.ConditionTrue, candor.ConditionFalse, candor.WhyProbeFailing},
		{&candor.InstanceObserved{State: candor.ProcessRunning, Ready: true}, candor.ConditionTrue, candor.ConditionTrue, candor.WhyRunning},
		{&candor.InstanceObserved{State: candor.ProcessWaiting, ExitCode: &code}, candor.ConditionTrue, candor.ConditionFalse, candor.WhyRestarting},
		{&candor.InstanceObserved{State: candor.ProcessStopping}, candor.ConditionTrue, candor.ConditionFalse, candor.WhyStopping},
		{&candor.InstanceObserved{State: candor.ProcessRunning, Ready: true}, candor.ConditionFalse, candor.ConditionUnknown, candor.WhyNodeUnreachable},
		{&candor.InstanceObserved{State: candor.ProcessExited}, candor.ConditionFalse, candor.ConditionFalse, candor.WhyEnded},
	} {
		ready := statusAfter(t, view(t, candor.InstanceSpec{}, onW1, c.observed, c.node)).Conditions.Get(candor.ConditionReady)
		if ready == nil || ready.Status != c.want || ready.Reason != c.reason {
			t.Errorf("%+v, node %s: %+v, want %s %s", c.observed, c.node, ready, c.want, c.reason)
		}
	}
}

func TestAnInstanceThatEndedForGoodSucceededOrFailedByItsRestartPolicy(t *testing.T) {
	zero, one := int32(0), int32(1)
	for _, c := range []struct {
		restart candor.RestartPolicy
		code    *int32
		want    candor.InstancePhase
	}{
		{candor.RestartAlways, &zero, candor.InstanceFailed},
		{"", &zero, candor.InstanceFailed},
		{candor.RestartOnFailure, &zero, candor.InstanceSucceeded},
		{candor.RestartNever, &zero, candor.InstanceSucceeded},
		{candor.RestartNever, &one, candor.InstanceFailed},
		{candor.RestartNever, nil, candor.InstanceFailed},
	} {
		spec := candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Restart: c.restart}}
		if got := statusAfter(t, view(t, spec, onW1, &candor.InstanceObserved{State: candor.ProcessExited, ExitCode: c.code}, candor.ConditionTrue)).Phase; got != c.want {
			t.Errorf("%q: %s, want %s", c.restart, got, c.want)
		}
	}
}

func TestTheFinalizerStaysWhileTheProcessMayRun(t *testing.T) {
	running := &candor.InstanceObserved{State: candor.ProcessRunning, Ready: true}
	lost := onW1
	lost.Phase = candor.InstanceLost
	for _, c := range []struct {
		name     string
		status   candor.InstanceStatus
		observed *candor.InstanceObserved
		noNode   bool
		released bool
	}{
		{"running", onW1, running, false, false},
		{"nobody spoke", onW1, nil, false, false},
		{"exited", onW1, &candor.InstanceObserved{State: candor.ProcessExited}, false, true},
		{"node gone", onW1, running, true, true},
		{"lost", lost, running, false, true},
		{"never placed", candor.InstanceStatus{Phase: candor.InstancePending}, nil, true, true},
	} {
		v := view(t, candor.InstanceSpec{}, c.status, c.observed, candor.ConditionTrue)
		v.Instance.Object.Metadata.DeletionTime = time.Unix(1, 0)
		if c.noNode {
			v.Node = nil
		}
		write, _ := Decide(v)
		released := write != nil && write.Reason == ReasonRelease
		if released != c.released {
			t.Errorf("%s: released %t, want %t", c.name, released, c.released)
		}
		if released {
			after := write.Ops[0].(controller.Update).Object.Metadata
			if len(after.Finalizers) != 1 || after.Finalizers[0] != "x/y" || after.ResourceVersion != 7 {
				t.Errorf("%s: %+v", c.name, after)
			}
		}
	}
}
