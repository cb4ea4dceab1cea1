package workloads

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// Priority is what the class that a template names says, or the default class, of which
// the highest counts, where it names none; ok is false where the named one does not
// exist. Without any class it is 0.
func Priority(t *candor.InstanceTemplate, classes []*kinds.PriorityClass) (class candor.PriorityClassSpec, ok bool) {
	var found *kinds.PriorityClass
	for _, c := range classes {
		if t.PriorityClass != "" {
			if c.Ref.Name == t.PriorityClass {
				return *c.Spec, true
			}
			continue
		}
		if c.Spec.Default && (found == nil || before(found, c)) {
			found = c
		}
	}
	if found == nil {
		return candor.PriorityClassSpec{}, t.PriorityClass == ""
	}
	return *found.Spec, true
}

// before says whether b is rather the default than a.
func before(a, b *kinds.PriorityClass) bool {
	if a.Spec.Value != b.Spec.Value {
		return a.Spec.Value < b.Spec.Value
	}
	return a.Ref.Name > b.Ref.Name
}
