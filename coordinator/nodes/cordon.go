package nodes

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/policies"
)

// cordon closes a node that was silent for too long under a policy that says so, and
// notes in the same write for which silence: whoever opens it in that silence is not
// worked against. One that is closed already is noted likewise. The note goes once the
// node is heard of and open. It is nil where there is nothing to do.
func cordon(v *View, h heard) *controller.Write {
	name, spec, closed := v.Node.Ref.Name, v.Node.Object.Spec, v.Node.Spec.Unschedulable
	switch {
	case h.closes(v) && closed:
		return rewrite(v, spec, policies.Mark(h.since), ReasonCordon, fmt.Sprintf("node %s stays closed to new instances: %s; the policy says Cordon", name, h.message))
	case h.closes(v):
		shut := *v.Node.Spec
		shut.Unschedulable = true
		return rewrite(v, kinds.Encode(shut), policies.Mark(h.since), ReasonCordon, fmt.Sprintf("node %s is closed to new instances: %s; the policy says Cordon", name, h.message))
	case h.fresh && !closed && policies.Cordoned(v.Node.Meta()) != "":
		return rewrite(v, spec, "", ReasonOpened, fmt.Sprintf("node %s is heard of, and open to new instances again", name))
	default:
		return nil
	}
}

// rewrite writes the node as it was read, but for its spec and the note of a silence, of
// which an empty one is none.
func rewrite(v *View, spec json.RawMessage, silence, reason, message string) *controller.Write {
	o := *v.Node.Object
	o.Status, o.Observed, o.Cause = nil, nil, nil
	o.Spec = spec
	o.Metadata.Annotations = maps.Clone(o.Metadata.Annotations)
	delete(o.Metadata.Annotations, candor.AnnotationSilence)
	if silence != "" {
		if o.Metadata.Annotations == nil {
			o.Metadata.Annotations = map[string]string{}
		}
		o.Metadata.Annotations[candor.AnnotationSilence] = silence
	}
	return &controller.Write{
		Ops:    []controller.Op{controller.Update{Kind: candor.KindNodes, Object: &o}},
		Reason: reason, Message: message, Because: v.Node.Version(), Read: v.Token,
	}
}
