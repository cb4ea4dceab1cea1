package workloads

import (
	"bytes"
	"maps"

	"github.com/candor-plane/candor/informer"
)

// sameNode says whether a change of a node leaves what could ever be placed there as it
// was: its labels, its spec, and what its worker says of it.
func sameNode(c informer.Change) bool {
	if c.Before == nil || c.After == nil {
		return false
	}
	before, after := c.Before.Object, c.After.Object
	return maps.Equal(before.Metadata.Labels, after.Metadata.Labels) &&
		bytes.Equal(before.Spec, after.Spec) && bytes.Equal(before.Observed, after.Observed)
}
