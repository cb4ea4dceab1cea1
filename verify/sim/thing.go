package sim

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Things own one another, hold their own deletion up, and go by cascades that the
// holder of the duty janitor drives.
const (
	kindThings = candor.KindName("things.sim")
	things     = 6
	finalizer  = "sim/hold"
	// keep is for how long transitions are kept, in nanoseconds; the root wants no less.
	keep = 600 * second
)

func thingRef(n int) candor.Ref {
	return candor.Ref{Kind: kindThings, Namespace: namespace, Name: fmt.Sprintf("t%d", n)}
}

// changeThing has somebody create, change, let go of, or delete a thing.
func (w *world) changeThing(d *dice) {
	s := w.anyServer(d)
	if !s.up {
		return
	}
	ref := thingRef(d.upto(things))
	op := command.Operation{Verb: command.VerbUpdate, Kind: kindThings, KindRevision: w.kinds[kindThings]}
	o := w.object(s, ref)
	switch {
	case d.chance(40):
		o = &candor.Object{APIVersion: "sim/v1", Kind: "Thing", Spec: []byte(`{}`), Metadata: candor.Metadata{
			Name: ref.Name, Namespace: namespace, UID: fmt.Sprintf("uid-%s-%d", ref.Name, w.choice), Owners: w.owners(s, ref, d),
		}}
		if d.chance(30) {
			o.Metadata.Finalizers = []string{finalizer}
		}
		op.Verb, op.Object = command.VerbCreate, o
	case o == nil:
		return
	case d.chance(60):
		how := [...]candor.Propagation{candor.PropagateForeground, candor.PropagateBackground, candor.PropagateOrphan}[d.upto(3)]
		op = command.Operation{Verb: command.VerbDelete, Kind: kindThings, Namespace: ref.Namespace, Name: ref.Name, Propagation: how}
		if d.chance(30) {
			op.UID = o.Metadata.UID
		}
	default:
		o.Metadata.Finalizers = without(o.Metadata.Finalizers, finalizer)
		if d.chance(30) {
			o.Metadata.Owners = w.owners(s, ref, d)
		}
		op.Object = o
	}
	c := &command.Command{Type: command.TypeWrite, Actor: "ana", Then: []command.Operation{op}}
	if d.chance(50) {
		c.RequestID, c.NotAfter, c.Digest = fmt.Sprintf("thing-%d", w.choice), s.m.View().ClusterTime()+w.Valid, uint64(w.choice)
	}
	w.propose(s, c, d, func(outcome) {})
}

// owners are some things as they stand on a server, and now and then one that does not.
func (w *world) owners(s *server, of candor.Ref, d *dice) (out []candor.OwnerReference) {
	for range d.upto(3) {
		ref := thingRef(d.upto(things))
		if ref == of || len(out) > 0 && out[0].Name == ref.Name {
			continue
		}
		owner := candor.OwnerReference{Kind: kindThings, Name: ref.Name, UID: "uid-" + ref.Name, BlockOwnerDeletion: d.chance(50)}
		switch o := w.object(s, ref); {
		case o != nil:
			owner.UID = o.Metadata.UID
		case d.chance(90):
			continue
		}
		out = append(out, owner)
	}
	return out
}

// object is one as a server's view has it, to be changed; nil for none.
func (w *world) object(s *server, ref candor.Ref) *candor.Object {
	v, err := s.m.View().Get(ref, 0)
	if err != nil || v == nil {
		return nil
	}
	o, err := v.Object()
	if err != nil {
		w.fail("decoding", "%s: %v", ref, err)
		return nil
	}
	return o
}

// thing checks that one with a finalizer stays.
func (r *root) thing(x *mvcc.Version, o *candor.Object) {
	if !x.Deleted {
		return
	}
	r.w.checked("deletions that nothing holds", 1)
	if len(o.Metadata.Finalizers) > 0 {
		r.w.fail("finalizers hold", "%s was removed at revision %d with the finalizers %v", x.Key, x.Revision, o.Metadata.Finalizers)
	}
}

// owned checks, when no cascade is left, that every owner of a thing is there.
func (w *world) owned(s *server) {
	for n := range things {
		o := w.object(s, thingRef(n))
		if o == nil {
			continue
		}
		for _, owner := range o.Metadata.Owners {
			w.checked("owners that are there", 1)
			if of := w.object(s, candor.Ref{Kind: owner.Kind, Namespace: namespace, Name: owner.Name}); of == nil || of.Metadata.UID != owner.UID {
				w.fail("deletions end", "%s has the owner %s of UID %s, which is not there any more, and no cascade is left", o.Metadata.Name, owner.Name, owner.UID)
			}
		}
	}
}

func without(list []string, word string) (out []string) {
	for _, x := range list {
		if x != word {
			out = append(out, x)
		}
	}
	return out
}

// tidy is a step of the janitor.
func (w *world) tidy(d *dice) {
	h := w.actor(tenure.DutyJanitor, d)
	if h == nil {
		return
	}
	s := h.s
	v := s.m.View()
	var c *command.Command
	switch cascades := v.Cascades(4); {
	case len(cascades) > 0 && d.chance(80):
		c = command.CascadePage(cascades[d.upto(len(cascades))].ID)
	case d.chance(50) && v.Token().Revision > v.Floor()+20:
		c = command.Compact(v.Token().Revision - uint64(d.upto(20)))
	default:
		ids := v.DisposableTransitions(keep, 4)
		if len(ids) == 0 {
			return
		}
		w.propose(s, command.Dispose(tenure.DutyJanitor, h.era, s.holder, keep, ids...), d, func(outcome) {})
		return
	}
	c.Duty, c.Era, c.Holder = tenure.DutyJanitor, h.era, s.holder
	w.propose(s, c, d, func(outcome) {})
}
