package fsm

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// In the foreground an owner stays, terminating, until every dependent that blocks its
// deletion is gone; then it goes, and the others after it. Dependents that own
// something themselves are deleted likewise. A page deletes what is not yet being
// deleted; where all that block wait for their own finalizers the cascade waits too,
// and no page is asked for until one of them goes.

// inForeground marks an owner and starts the cascade.
func (d *draft) inForeground(ref candor.Ref, before *candor.Object) *candor.Error {
	after := *before
	return d.markForeground(ref, before, &after)
}

// markForeground is inForeground of what the turn makes of before.
func (d *draft) markForeground(ref candor.Ref, before, after *candor.Object) *candor.Error {
	d.startCascade(Cascade{Mode: CascadeForeground, Owner: ref, UID: before.Metadata.UID})
	after.Metadata.DeletionTime = d.deletionTime()
	after.Metadata.Finalizers = append(slices.Clip(before.Metadata.Finalizers), candor.FinalizerForeground)
	return d.change(ref, before, after, invariant.SectionLife)
}

// foregroundScan is how many dependents a page looks at.
const foregroundScan = 1000

// foregroundPage goes on where the page before ended, and after the last dependent
// waits until none blocks.
func (d *draft) foregroundPage(c Cascade) *candor.Error {
	s := d.m.state
	owner, _ := d.stored(c.Owner)
	if owner == nil || owner.Metadata.UID != c.UID {
		d.endCascade(c.ID)
		return nil
	}
	d.cmd.Message = sprintf("%s is being deleted", c.Owner)
	if !s.blocked(c.UID) {
		return d.follow(c, owner)
	}
	var page []*mvcc.Version
	at, looked, more := ownership{owner: c.UID, kind: c.Kind, key: c.Key}, 0, false
	s.owners.Ascend(at, func(o ownership) bool {
		switch {
		case o.owner != c.UID:
			return false
		case looked == foregroundScan, len(page) == cascadePageObjects:
			more = true
			return false
		case c.Key != "" && o.kind == c.Kind && o.key == c.Key:
			return true
		}
		at = o
		looked++
		if head := s.kinds[o.kind].head(o.key); o.blocks && !d.m.object(head).Terminating() {
			page = append(page, head)
		}
		return true
	})
	for _, v := range page {
		if err := d.precede(c, v); err != nil {
			return err
		}
	}
	c.Kind, c.Key = at.kind, clone(at.key)
	d.effects = append(d.effects, func(s *state) {
		if more {
			s.cascades.Set(c.ID, c)
			return
		}
		s.wait(c)
	})
	return nil
}

// precede deletes one dependent before its owner, or takes the owner from it when it
// has another one that lives and stays.
func (d *draft) precede(c Cascade, v *mvcc.Version) *candor.Error {
	before := mustDecode(v)
	ref := d.m.state.refOf(v)
	after := *before
	others := slices.DeleteFunc(slices.Clone(before.Metadata.Owners), func(o candor.OwnerReference) bool { return o.UID == c.UID })
	switch {
	case slices.ContainsFunc(others, func(o candor.OwnerReference) bool { return d.ownerLives(ref, o) }):
		after.Metadata.Owners = others
		return d.change(ref, before, &after, invariant.SectionLife)
	case d.m.state.owns(before.Metadata.UID):
		return d.markForeground(ref, before, &after)
	case len(before.Metadata.Finalizers) > 0:
		return d.terminate(ref, before)
	default:
		return d.remove(ref, before, &after, candor.PropagateBackground, invariant.SectionLife)
	}
}

// follow takes the finalizer from an owner that nothing blocks any more; it goes
// unless another one holds it.
func (d *draft) follow(c Cascade, owner *candor.Object) *candor.Error {
	d.endCascade(c.ID)
	after := *owner
	after.Metadata.Finalizers = slices.DeleteFunc(slices.Clone(owner.Metadata.Finalizers), func(f string) bool { return f == candor.FinalizerForeground })
	if len(after.Metadata.Finalizers) == 0 {
		return d.remove(c.Owner, owner, &after, candor.PropagateBackground, invariant.SectionLife)
	}
	if len(after.Metadata.Finalizers) == len(owner.Metadata.Finalizers) {
		return nil // somebody took it already
	}
	return d.change(c.Owner, owner, &after, invariant.SectionLife)
}

// blocked says whether a dependent blocks the owner's deletion.
func (s *state) blocked(uid string) bool {
	found := false
	s.owners.Ascend(ownership{owner: uid}, func(o ownership) bool {
		found = o.owner == uid && o.blocks
		return o.owner == uid && !found
	})
	return found
}

// wait has a cascade that looked at every dependent wait while one blocks.
func (s *state) wait(c Cascade) {
	c.Kind, c.Key = 0, ""
	c.Waits = s.blocked(c.UID)
	s.cascades.Set(c.ID, c)
}

// wake has a cascade begin anew whose owner is gone, of which nothing blocks the owner
// any more, and of which a new dependent does.
func (s *state) wake(before, after *candor.Object) {
	if len(s.foreground) == 0 {
		return
	}
	if before != nil && after == nil {
		s.resume(before.Metadata.UID)
	}
	owners := func(of, unlike *candor.Object, each func(uid string)) {
		if of == nil {
			return
		}
		for i := range of.Metadata.Owners {
			if o := &of.Metadata.Owners[i]; unlike == nil || !slices.Contains(unlike.Metadata.Owners, *o) {
				each(o.UID)
			}
		}
	}
	owners(after, before, s.resume)
	owners(before, after, func(uid string) {
		if _, known := s.foreground[uid]; known && !s.blocked(uid) {
			s.resume(uid)
		}
	})
}

// resume has a cascade look at every dependent again, from the first one on.
func (s *state) resume(uid string) {
	id, ok := s.foreground[uid]
	if !ok {
		return
	}
	if c, ok := s.cascades.Get(id); ok {
		c.Waits, c.Kind, c.Key = false, 0, ""
		s.cascades.Set(id, c)
	}
}

func (s *state) leaveForeground(c Cascade) {
	if s.foreground[c.UID] == c.ID {
		delete(s.foreground, c.UID)
	}
}

// reforeground makes the index of cascades in the foreground from the cascades.
func (s *state) reforeground() {
	s.cascades.Scan(func(id uint64, c Cascade) bool {
		if c.Mode == CascadeForeground {
			s.foreground[c.UID] = id
		}
		return true
	})
}
