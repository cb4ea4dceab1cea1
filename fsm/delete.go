package fsm

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/internal/zoo"
)

// defaultNamespace always exists.
const defaultNamespace = "default"

func (d *draft) delete(op *command.Operation, ref candor.Ref) *candor.Error {
	before, err := d.expect(ref, op.ResourceVersion, op.UID)
	if err != nil {
		return err
	}
	if err := d.deletable(ref); err != nil {
		return err
	}
	if before.Terminating() {
		_, v := d.stored(ref)
		d.ops = append(d.ops, opDraft{version: v})
		return nil
	}
	propagation := op.Propagation
	if propagation == "" {
		propagation = candor.PropagateBackground
	}
	if ref.Kind == candor.KindNamespaces {
		d.startCascade(Cascade{Mode: CascadeNamespace, Owner: ref, UID: before.Metadata.UID})
		return d.terminate(ref, before)
	}
	if propagation == candor.PropagateForeground && d.m.state.owns(before.Metadata.UID) {
		return d.inForeground(ref, before)
	}
	if len(before.Metadata.Finalizers) > 0 && d.m.skip&ruleFinalizers == 0 && (!zoo.Enabled || !zoo.Has(zoo.IgnoreFinalizers)) {
		if propagation == candor.PropagateOrphan && d.m.state.owns(before.Metadata.UID) {
			d.startCascade(Cascade{Mode: CascadeOrphan, Owner: ref, UID: before.Metadata.UID})
		}
		return d.terminate(ref, before)
	}
	after := *before
	return d.remove(ref, before, &after, propagation, invariant.SectionLife)
}

// deletable protects what the state stands on.
func (d *draft) deletable(ref candor.Ref) *candor.Error {
	switch {
	case isBuiltin(ref):
		return &candor.Error{Reason: candor.ReasonInvalid, Subject: ref.String(), Message: sprintf("%s is built in and cannot be deleted", ref)}
	case ref.Kind == candor.KindKinds:
		if ordinal, ok := d.m.state.kindIndex[candor.KindName(ref.Name)]; ok {
			if n := d.m.state.kinds[ordinal].live; n > 0 {
				return &candor.Error{Reason: candor.ReasonKindInUse, Subject: ref.String(), Message: sprintf("%s still has %d objects: delete them first", ref, n)}
			}
		}
	}
	return nil
}

// terminate marks an object that finalizers or its contents still hold.
func (d *draft) terminate(ref candor.Ref, before *candor.Object) *candor.Error {
	after := *before
	after.Metadata.DeletionTime = d.deletionTime()
	return d.change(ref, before, &after, invariant.SectionLife)
}

// remove ends an object; final is its last state.
func (d *draft) remove(ref candor.Ref, before, final *candor.Object, propagation candor.Propagation, allowed invariant.Section) *candor.Error {
	d.stamp(before, final)
	if final.Metadata.DeletionTime.IsZero() {
		final.Metadata.DeletionTime = d.deletionTime()
	}
	system := d.cmd.Type == command.TypeCascadePage
	i, err := d.put(change{Change: invariant.Change{Ref: ref, Before: before, Allowed: allowed, System: system}, final: final, propagation: propagation})
	if err != nil {
		return err
	}
	d.ops = append(d.ops, opDraft{change: i, changed: true})
	return nil
}

// deletionTime is never zero, whatever the leader's clock says: zero means
// that the object is not being deleted.
func (d *draft) deletionTime() time.Time {
	if t := d.wall(); !t.IsZero() {
		return t
	}
	return time.Unix(0, max(1, d.m.state.time)).UTC()
}
