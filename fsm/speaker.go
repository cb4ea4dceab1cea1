package fsm

import (
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

const workerActor = string(candor.PartyWorker) + "/"

// speaksFor refuses a worker that is known by its certificate and makes or observes
// another node than the one of its own name, or observes an instance that is not placed
// there. It holds whether access control is on or not, and whatever roles allow: the
// certificate says which machine speaks. Kinds besides those two are the roles' to judge,
// and so is a token, with which one party may speak for many nodes.
func (d *draft) speaksFor(op *command.Operation, ref candor.Ref) *candor.Error {
	c := d.cmd
	own, isWorker := strings.CutPrefix(c.Actor, workerActor)
	if !isWorker || !c.Verified || c.Accessor != "" {
		return nil
	}
	switch {
	case ref.Kind == candor.KindNodes && (op.Verb == command.VerbObserve || op.Verb == command.VerbCreate):
		if ref.Name == own {
			return nil
		}
		return &candor.Error{Reason: candor.ReasonForbidden, Subject: ref.String(),
			Message: sprintf("%s may not speak for node %s: a worker speaks for the node of its own name", c.Actor, ref.Name)}
	case ref.Kind == candor.KindInstances && op.Verb == command.VerbObserve:
		o := d.live(ref)
		if o == nil || o.Metadata.Labels[candor.LabelNode] == own {
			return nil
		}
		where := "placed nowhere"
		if node := o.Metadata.Labels[candor.LabelNode]; node != "" {
			where = "placed on node " + node
		}
		return &candor.Error{Reason: candor.ReasonForbidden, Subject: ref.String(), Revision: o.Metadata.ResourceVersion,
			Message: sprintf("%s may not observe %s, which is %s: a worker observes the instances of its own node", c.Actor, ref, where)}
	default:
		return nil
	}
}
