package workloads

import (
	"fmt"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

// big is a workload of n replicas that all are available, and of which extra are missing.
func big(b *testing.B, n, missing int) *View {
	b.Helper()
	spec := candor.WorkloadSpec{Replicas: int32(n), Template: candor.InstanceTemplate{Command: []string{"run"}}}
	w, err := kinds.ReadWorkload(informer.NewItem(candor.KindWorkloads, &candor.Object{
		Metadata: candor.Metadata{Namespace: "default", Name: "web", UID: "w", Generation: 1, ResourceVersion: 1}, Spec: kinds.Encode(spec),
	}))
	if err != nil {
		b.Fatal(err)
	}
	digest := Digest(&spec.Template)
	status := kinds.Encode(candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "w1", NodeUID: "n1", Conditions: candor.Conditions{
		{Type: candor.ConditionReady, Status: candor.ConditionTrue, Reason: candor.WhyRunning, LastTransitionTime: kinds.Time(1)},
	}})
	v := &View{
		Workload: w, Now: 100 * second, Exists: func(string) bool { return false },
		Schedulable: func(*candor.InstanceTemplate) (bool, string) { return true, "" },
	}
	for at := range n - missing {
		i, err := kinds.ReadInstance(informer.NewItem(candor.KindInstances, &candor.Object{
			Metadata: candor.Metadata{
				Namespace: "default", Name: fmt.Sprintf("web-%d", at), UID: fmt.Sprint(at), ResourceVersion: 2,
				Labels: map[string]string{candor.LabelWorkload: "web", candor.LabelRevision: digest}, Owners: []candor.OwnerReference{owner(w)},
			},
			Spec: kinds.Encode(candor.InstanceSpec{InstanceTemplate: spec.Template}), Status: status,
		}))
		if err != nil {
			b.Fatal(err)
		}
		v.Instances = append(v.Instances, i)
	}
	return v
}

// BenchmarkDecide is a look at a workload of 10,000 replicas: at rest, with 100 to make,
// and in the middle of a change of its template.
func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name    string
		missing int
		changed bool
	}{{"rest", 0, false}, {"making", 100, false}, {"rollout", 0, true}} {
		v := big(b, 10_000, c.missing)
		if c.changed {
			v.Workload.Spec.Template.Command = []string{"run", "2"}
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decide(v)
			}
		})
	}
}
