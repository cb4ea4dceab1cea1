package servertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// site is a cluster with workers, and a client.
type site struct {
	*testing.T
	c *servertest.Cluster
	f *fleet
	k *client.Client
	// tend is called while something is waited for; nil for nothing.
	tend func()
}

func newSite(t *testing.T, nodes int, opts ...servertest.Option) *site {
	t.Helper()
	c := servertest.Start(t, opts...)
	return &site{T: t, c: c, f: startFleet(t, c, nodes), k: c.Client(t)}
}

func workloadRef(name string) candor.Ref {
	return candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: name}
}

func nodeRef(name string) candor.Ref { return candor.Ref{Kind: candor.KindNodes, Name: name} }

// eventually polls a condition in the bubble's time.
func (s *site) eventually(within time.Duration, what string, condition func() bool) {
	s.Helper()
	for began := time.Now(); !condition(); time.Sleep(25 * time.Millisecond) {
		if s.tend != nil {
			s.tend()
		}
		if time.Since(began) > within {
			s.Fatalf("not within %s: %s\n%s", within, what, s.picture())
		}
	}
}

// list is what the leader has of a kind.
func (s *site) list(kind candor.KindName) []*candor.Object {
	s.Helper()
	return listed(s.T, s.c.Leader().Machine().View(), kind)
}

// picture is everything that there is, for who reads a failure.
func (s *site) picture() (out string) {
	for _, kind := range []candor.KindName{candor.KindNodes, candor.KindDisruptionBudgets, candor.KindWorkloads, candor.KindInstances} {
		for _, o := range s.list(kind) {
			out += fmt.Sprintf("%s/%s %s spec %s status %s observed %s\n", kind, o.Metadata.Name, o.Metadata.DeletionTime, o.Spec, o.Status, o.Observed)
		}
	}
	return out
}

// patch changes an object's spec, however often that takes.
func (s *site) patch(ref candor.Ref, spec string) {
	s.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := within(5 * time.Second)
		_, err := s.k.Patch(ctx, ref, client.PatchMerge, fmt.Appendf(nil, `{"spec":%s}`, spec))
		cancel()
		if err == nil {
			return
		}
		if time.Since(began) > time.Minute {
			s.Fatalf("patch %s: %v", ref, err)
		}
	}
}

// create makes an object, however often that takes.
func (s *site) create(o *candor.Object) {
	s.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := within(5 * time.Second)
		_, err := s.k.Create(ctx, o)
		cancel()
		if err == nil || candor.ReasonOf(err) == candor.ReasonAlreadyExists {
			return
		}
		if time.Since(began) > time.Minute {
			s.Fatalf("create %s: %v", o.Metadata.Name, err)
		}
	}
}

func (s *site) remove(ref candor.Ref, options ...client.WriteOption) {
	s.Helper()
	ctx, cancel := within(10 * time.Second)
	defer cancel()
	if _, err := s.k.Delete(ctx, ref, options...); err != nil {
		s.Fatalf("delete %s: %v", ref, err)
	}
}

// status of a workload; nil where there is none.
func (s *site) status(name string) *candor.WorkloadStatus {
	s.Helper()
	_, status, _ := statusOf[candor.WorkloadStatus](s.T, s.k, workloadRef(name))
	return status
}

// whole waits until a workload is available as its spec now wants it, with so many.
func (s *site) whole(within time.Duration, name string, replicas int32) {
	s.Helper()
	s.eventually(within, fmt.Sprintf("%s has %d and is available", name, replicas), func() bool {
		o, status, there := s.quiet(name)
		return there && status.ObservedGeneration == o.Metadata.Generation && status.Phase == "Available" &&
			status.Instances == replicas && status.Available == replicas && s.count(name, anyInstance) == int(replicas)
	})
}

// quiet reads a workload from the leader's view, whatever the links are.
func (s *site) quiet(name string) (*candor.Object, *candor.WorkloadStatus, bool) {
	s.Helper()
	for _, o := range s.list(candor.KindWorkloads) {
		if o.Metadata.Name == name {
			status := new(candor.WorkloadStatus)
			if len(o.Status) > 0 {
				if err := json.Unmarshal(o.Status, status); err != nil {
					s.Fatal(err)
				}
			}
			return o, status, true
		}
	}
	return nil, nil, false
}

func anyInstance(*candor.Object, *candor.InstanceStatus) bool { return true }

// count counts the instances of a workload, by their label.
func (s *site) count(workload string, which func(o *candor.Object, status *candor.InstanceStatus) bool) (n int) {
	s.Helper()
	for _, o := range s.list(candor.KindInstances) {
		if o.Metadata.Labels[candor.LabelWorkload] == workload && which(o, instanceStatus(s.T, o)) {
			n++
		}
	}
	return n
}

func (s *site) onNode(node string) (n int) {
	s.Helper()
	for _, o := range s.list(candor.KindInstances) {
		if o.Metadata.Labels[candor.LabelNode] == node && !instanceStatus(s.T, o).Phase.Ended() {
			n++
		}
	}
	return n
}

// nodeIs says whether a node's condition has the status and reason.
func (s *site) nodeIs(name, condition string, status candor.ConditionStatus, reason string) bool {
	s.Helper()
	for _, o := range s.list(candor.KindNodes) {
		var have candor.NodeStatus
		if o.Metadata.Name != name || json.Unmarshal(o.Status, &have) != nil {
			continue
		}
		c := have.Conditions.Get(condition)
		return c != nil && c.Status == status && (reason == "" || c.Reason == reason)
	}
	return false
}

func instanceStatus(t testing.TB, o *candor.Object) *candor.InstanceStatus {
	t.Helper()
	status := new(candor.InstanceStatus)
	if len(o.Status) > 0 {
		if err := json.Unmarshal(o.Status, status); err != nil {
			t.Fatal(err)
		}
	}
	return status
}

func disruptionBudget(name, selector, bound string) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "DisruptionBudget", Metadata: candor.Metadata{Namespace: "default", Name: name},
		Spec: fmt.Appendf(nil, `{"instances":%q,%s}`, selector, bound),
	}
}

func priorityClass(name string, value int, preempts bool) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "PriorityClass", Metadata: candor.Metadata{Name: name},
		Spec: fmt.Appendf(nil, `{"value":%d,"preempts":%t}`, value, preempts),
	}
}

// moveDuty has an operator move a duty, if anybody can just now.
func (s *site) moveDuty(duty, to string) {
	ctx, cancel := context.WithTimeout(s.Context(), 3*time.Second)
	defer cancel()
	_, _ = s.k.TransferTenure(ctx, duty, to)
}

// nodeReason is that of a node's condition Ready.
func nodeReason(t testing.TB, o *candor.Object) string {
	t.Helper()
	var status candor.NodeStatus
	if len(o.Status) > 0 {
		if err := json.Unmarshal(o.Status, &status); err != nil {
			t.Fatal(err)
		}
	}
	if c := status.Conditions.Get(candor.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}
