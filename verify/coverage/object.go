package coverage

import (
	"bytes"
	"maps"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

func objectState(x *candor.Object) lifecycle.State {
	switch {
	case !x.Terminating():
		return lifecycle.Live
	case slices.Contains(x.Metadata.Finalizers, candor.FinalizerForeground):
		return lifecycle.Foreground
	default:
		return lifecycle.Terminating
	}
}

func (o *observer) object(c *change) {
	of := c.ref.String()
	add := func(from, to lifecycle.State, event string) { o.add(of, lifecycle.Object, from, to, event) }
	switch {
	case c.after == nil && c.before == nil:
		return
	case c.before == nil && c.again:
		add(lifecycle.Gone, objectState(c.after), "create")
		return
	case c.before == nil:
		add(lifecycle.Absent, objectState(c.after), "create")
		return
	}
	from, to := objectState(c.before), lifecycle.Gone
	if c.after != nil {
		to = objectState(c.after)
	}
	if from != to {
		event := "release"
		if from == lifecycle.Live {
			event = "delete"
		}
		add(from, to, event)
		return
	}
	for _, section := range changedSections(c.before, c.after) {
		add(from, to, section)
	}
}

func changedSections(before, after *candor.Object) []string {
	var sections []string
	if !bytes.Equal(before.Spec, after.Spec) {
		sections = append(sections, "spec")
	}
	if !bytes.Equal(before.Status, after.Status) {
		sections = append(sections, "status")
	}
	if !bytes.Equal(before.Observed, after.Observed) {
		sections = append(sections, "observe")
	}
	x, y := &before.Metadata, &after.Metadata
	if !maps.Equal(x.Labels, y.Labels) || !maps.Equal(x.Annotations, y.Annotations) ||
		!slices.Equal(x.Owners, y.Owners) || !slices.Equal(x.Finalizers, y.Finalizers) {
		sections = append(sections, "metadata")
	}
	return sections
}
