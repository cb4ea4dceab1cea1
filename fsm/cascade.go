package fsm

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/internal/zoo"
)

// CascadeMode is what a cascade does to what it finds.
type CascadeMode uint8

// The cascade modes. The numbers are in snapshots.
const (
	// CascadeDelete deletes the dependents of an owner that is gone.
	CascadeDelete CascadeMode = 1
	// CascadeOrphan takes the owner's reference from its dependents.
	CascadeOrphan CascadeMode = 2
	// CascadeNamespace empties a namespace, then removes it.
	CascadeNamespace CascadeMode = 3
	// CascadeForeground deletes the dependents of an owner that waits for those that
	// block its deletion.
	CascadeForeground CascadeMode = 4
)

// Cascade is work that a deletion left: done in pages, each its own turn, by
// whoever proposes CascadePage with its ID.
type Cascade struct {
	ID    uint64
	Mode  CascadeMode
	Owner candor.Ref
	UID   string
	// Waits says that a page would do nothing until a dependent goes or lets go of the
	// owner; it is nobody's turn until then.
	Waits bool
	// Kind and Key are the last dependent that a foreground cascade looked at.
	Kind uint32
	Key  string
}

// cascadePage is how many objects one page touches.
const cascadePageObjects = 100

func (d *draft) startCascade(c Cascade) {
	d.effects = append(d.effects, func(s *state) { s.startCascade(c) })
}

func (s *state) startCascade(c Cascade) {
	s.nextCascade++
	c.ID = s.nextCascade
	c.UID = clone(c.UID)
	c.Owner.Kind, c.Owner.Namespace, c.Owner.Name = candor.KindName(clone(string(c.Owner.Kind))), clone(c.Owner.Namespace), clone(c.Owner.Name)
	s.cascades.Set(c.ID, c)
	if c.Mode == CascadeForeground {
		s.foreground[c.UID] = c.ID
	}
}

// orphaned starts what the removal of an object with dependents asks for.
func (s *state) orphaned(c *change) {
	uid := c.Before.Metadata.UID
	if !s.owns(uid) {
		return
	}
	mode := CascadeDelete
	if c.propagation == candor.PropagateOrphan {
		mode = CascadeOrphan
	}
	s.startCascade(Cascade{Mode: mode, Owner: c.Ref, UID: uid})
}

// owns says whether any live object names the owner.
func (s *state) owns(uid string) bool {
	found := false
	s.owners.Ascend(ownership{owner: uid}, func(o ownership) bool {
		found = o.owner == uid
		return false
	})
	return found
}

// cascading says whether a namespace is still being emptied.
func (s *state) cascading(ref candor.Ref) bool {
	if ref.Kind != candor.KindNamespaces {
		return false
	}
	found := false
	s.cascades.Scan(func(_ uint64, c Cascade) bool {
		found = c.Mode == CascadeNamespace && c.Owner == ref
		return !found
	})
	return found
}

// cascadePage does the next page. A cascade that is done or gone is no error:
// two proposers may race, and the state decides.
func (d *draft) cascadePage() *candor.Error {
	c, ok := d.m.state.cascades.Get(d.cmd.CascadeID)
	if !ok {
		return nil
	}
	d.cmd.Reason = "CASCADE"
	switch c.Mode {
	case CascadeNamespace:
		return d.namespacePage(c)
	case CascadeForeground:
		return d.foregroundPage(c)
	default:
	}
	return d.dependentsPage(c)
}

func (d *draft) endCascade(id uint64) {
	d.effects = append(d.effects, func(s *state) {
		if c, ok := s.cascades.Delete(id); ok {
			s.leaveForeground(c)
		}
	})
}

func (d *draft) dependentsPage(c Cascade) *candor.Error {
	s := d.m.state
	var page []*mvcc.Version
	s.owners.Ascend(ownership{owner: c.UID}, func(o ownership) bool {
		if o.owner != c.UID || len(page) == cascadePageObjects {
			return false
		}
		page = append(page, s.kinds[o.kind].head(o.key))
		return true
	})
	if zoo.Enabled && zoo.Has(zoo.CascadeStops) && len(page) < cascadePageObjects {
		page = nil
	}
	d.cmd.Message = sprintf("owner %s was deleted", c.Owner)
	for _, v := range page {
		if err := d.release(c, v); err != nil {
			return err
		}
	}
	if len(page) < cascadePageObjects {
		d.endCascade(c.ID)
	}
	return nil
}

// release takes the owner from one dependent, and deletes the dependent when
// the cascade deletes and no other owner of it lives.
func (d *draft) release(c Cascade, v *mvcc.Version) *candor.Error {
	before := mustDecode(v)
	ref := d.m.state.refOf(v)
	after := *before
	after.Metadata.Owners = slices.DeleteFunc(slices.Clone(before.Metadata.Owners), func(o candor.OwnerReference) bool { return o.UID == c.UID })
	keep := c.Mode == CascadeOrphan || slices.ContainsFunc(after.Metadata.Owners, func(o candor.OwnerReference) bool { return d.ownerLives(ref, o) })
	switch {
	case keep, before.Terminating():
		return d.change(ref, before, &after, invariant.SectionLife)
	case len(before.Metadata.Finalizers) > 0:
		after.Metadata.DeletionTime = d.deletionTime()
		return d.change(ref, before, &after, invariant.SectionLife)
	default:
		return d.remove(ref, before, &after, candor.PropagateBackground, invariant.SectionLife)
	}
}

func (d *draft) ownerLives(ref candor.Ref, o candor.OwnerReference) bool {
	return d.ownerOf(ref.Namespace, o) != nil
}

func (d *draft) namespacePage(c Cascade) *candor.Error {
	s := d.m.state
	d.cmd.Message = sprintf("%s is being deleted", c.Owner)
	var page []*mvcc.Version
	held := false
	for _, k := range s.kinds {
		k.tree.Scan(c.Owner.Name+"/", "", func(v *mvcc.Version) bool {
			if v.Deleted {
				return true
			}
			if mustDecode(v).Terminating() {
				held = true
				return true
			}
			page = append(page, v)
			return len(page) < cascadePageObjects
		})
		if len(page) == cascadePageObjects {
			break
		}
	}
	for _, v := range page {
		if err := d.empty(v); err != nil {
			return err
		}
	}
	if len(page) > 0 || held {
		return nil
	}
	before, _ := d.stored(c.Owner)
	if before == nil || before.Metadata.UID != c.UID {
		d.endCascade(c.ID)
		return nil
	}
	if len(before.Metadata.Finalizers) > 0 {
		return nil
	}
	d.endCascade(c.ID)
	after := *before
	return d.remove(c.Owner, before, &after, candor.PropagateBackground, invariant.SectionLife)
}

func (d *draft) empty(v *mvcc.Version) *candor.Error {
	ref := d.m.state.refOf(v)
	before := mustDecode(v)
	if len(before.Metadata.Finalizers) > 0 {
		return d.terminate(ref, before)
	}
	after := *before
	return d.remove(ref, before, &after, candor.PropagateBackground, invariant.SectionLife)
}

func (s *state) refOf(v *mvcc.Version) candor.Ref {
	namespace, name := candor.SplitKey(v.Key)
	return candor.Ref{Kind: s.kinds[v.Kind].name, Namespace: namespace, Name: name}
}
