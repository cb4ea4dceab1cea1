package workloads

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// operations are what the step takes.
func (s *step) operations(v *View, class candor.PriorityClassSpec) []controller.Op {
	ops := make([]controller.Op, 0, len(s.adopt)+len(s.over)+len(s.remove)+s.create+1)
	for _, i := range s.adopt {
		ops = append(ops, adopted(v.Workload, i))
	}
	for _, i := range s.over {
		// An end is for good, whatever else is written about it.
		op := i.Delete()
		op.ResourceVersion = 0
		ops = append(ops, op)
	}
	for _, i := range s.remove {
		ops = append(ops, i.Delete())
	}
	if s.create == 0 {
		return ops
	}
	spec := kinds.Encode(candor.InstanceSpec{InstanceTemplate: *s.template, Priority: class.Value, Preempts: class.Preempts})
	labels := maps.Clone(s.template.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[candor.LabelWorkload], labels[candor.LabelRevision] = v.Workload.Ref.Name, s.digest
	for _, name := range free(v, s.create) {
		ops = append(ops, controller.Create{Kind: candor.KindInstances, Object: &candor.Object{
			APIVersion: candor.APIVersion, Kind: "Instance", Spec: spec,
			Metadata: candor.Metadata{
				Namespace: v.Workload.Ref.Namespace, Name: name,
				Labels: maps.Clone(labels), Owners: []candor.OwnerReference{owner(v.Workload)},
			},
		}})
	}
	return ops
}

func owner(w *kinds.Workload) candor.OwnerReference {
	return candor.OwnerReference{Kind: candor.KindWorkloads, Name: w.Ref.Name, UID: w.Meta().UID, Controller: true, BlockOwnerDeletion: true}
}

func adopted(w *kinds.Workload, i *kinds.Instance) controller.Update {
	o := *i.Object
	o.Status, o.Observed, o.Cause = nil, nil, nil
	o.Metadata.Owners = append(slices.Clone(o.Metadata.Owners), owner(w))
	return controller.Update{Kind: candor.KindInstances, Object: &o}
}

// free are the names with the n smallest numbers that no instance has.
func free(v *View, n int) []string {
	prefix := v.Workload.Ref.Name + "-"
	taken := make([]bool, len(v.Instances)+n)
	for _, i := range v.Instances {
		number, ok := strings.CutPrefix(i.Ref.Name, prefix)
		if at, err := strconv.Atoi(number); ok && err == nil && at >= 0 && at < len(taken) && (at == 0 || number[0] != '0') {
			taken[at] = true
		}
	}
	names := make([]string, 0, n)
	for at := 0; len(names) < n; at++ {
		if at < len(taken) && taken[at] {
			continue
		}
		if name := prefix + strconv.Itoa(at); !v.Exists(name) {
			names = append(names, name)
		}
	}
	return names
}
