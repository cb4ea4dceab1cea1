package fsm

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/internal/wire"
)

// commit makes the draft the state.
func (m *Machine) commit(d *draft) Result {
	s := m.state
	changed := len(d.changes) > 0
	if changed {
		s.token.Revision++
		var first, last *mvcc.Version
		for i := range d.changes {
			v := s.store(&d.changes[i])
			if first == nil {
				first = v
			} else {
				last.LinkSibling(v)
			}
			last = v
		}
		s.history.Put(s.token.Revision, first)
	}
	for _, effect := range d.effects {
		effect(s)
	}
	res := Result{Token: candor.Token{Revision: s.token.Revision}, Revision: s.token.Revision, Changed: changed, Succeeded: d.succeeded, Verdict: d.verdict, Items: d.items}
	if len(d.ops) > 0 {
		res.Ops = make([]OpResult, len(d.ops))
		for i, op := range d.ops {
			res.Ops[i] = OpResult{Version: op.version, Changed: op.changed}
			if op.changed {
				res.Ops[i].Version = d.changes[op.change].version
			}
		}
	}
	if d.cmd.RequestID != "" {
		s.requests.remember(d.cmd, candor.Token{Term: d.env.term, Index: d.env.index, Revision: s.token.Revision}, changed, d.succeeded)
	}
	return res
}

// store makes the version of one change.
func (s *state) store(c *change) *mvcc.Version {
	ordinal := s.addKind(c.Ref.Kind)
	k := s.kinds[ordinal]
	key := c.Ref.Key()
	head := k.head(key)
	if head != nil {
		key = head.Key
	}
	v := &mvcc.Version{Key: key, Data: encode(c.final), Revision: s.token.Revision, Kind: ordinal, Deleted: c.After == nil}
	v.Link(head)
	k.set(v)
	k.stale, k.touched = true, s.token.Revision
	s.retained++
	s.bytes += v.Size()
	s.versions.add(v.Hash(k.name))
	s.indexOwners(ordinal, key, c.Before, c.After)
	s.wake(c.Before, c.After)
	switch c.Ref.Kind {
	case candor.KindInstances:
		s.account(c.Before, c.After)
	case candor.KindNodes:
		s.lease(c.Before, c.After)
	default:
	}
	switch {
	case c.Before == nil && c.After != nil:
		k.live++
		s.objects++
	case c.Before != nil && c.After == nil:
		k.live--
		s.objects--
		s.orphaned(c)
	}
	if c.Before == nil && c.Ref.Kind == candor.KindKinds && c.After != nil {
		s.addKind(candor.KindName(clone(c.Ref.Name)))
	}
	c.version = v
	return v
}

// indexOwners keeps the index of who names which owner.
func (s *state) indexOwners(ordinal uint32, key string, before, after *candor.Object) {
	if before != nil {
		for i := range before.Metadata.Owners {
			s.ownersStale = true
			s.owners.Delete(ownership{owner: before.Metadata.Owners[i].UID, kind: ordinal, key: key})
		}
	}
	if after != nil {
		for i := range after.Metadata.Owners {
			s.ownersStale = true
			s.own(&after.Metadata, i, ordinal, key)
		}
	}
}

// own enters one owner reference. Of several to one owner any may block.
func (s *state) own(m *candor.Metadata, i int, ordinal uint32, key string) {
	o := ownership{owner: clone(m.Owners[i].UID), kind: ordinal, key: key, blocks: m.Owners[i].BlockOwnerDeletion}
	if !o.blocks {
		o.blocks = slices.ContainsFunc(m.Owners, func(x candor.OwnerReference) bool { return x.UID == o.owner && x.BlockOwnerDeletion })
	}
	s.owners.Set(o)
}

// encode gives the stored form in one allocation of the right size.
func encode(o *candor.Object) []byte {
	var scratch [1024]byte
	b := wire.AppendObject(scratch[:0], o)
	return append(make([]byte, 0, len(b)), b...)
}

// objectSize bounds the stored size without encoding.
func objectSize(o *candor.Object) int {
	m := &o.Metadata
	n := 192 + len(o.APIVersion) + len(o.Kind) + len(m.Name) + len(m.Namespace) + len(m.UID) + len(o.Spec) + len(o.Status) + len(o.Observed)
	//candor:unordered a sum
	for k, v := range m.Labels {
		n += len(k) + len(v) + 8
	}
	//candor:unordered a sum
	for k, v := range m.Annotations {
		n += len(k) + len(v) + 8
	}
	for i := range m.Owners {
		n += len(m.Owners[i].Kind) + len(m.Owners[i].Name) + len(m.Owners[i].UID) + 16
	}
	for _, f := range m.Finalizers {
		n += len(f) + 4
	}
	if c := o.Cause; c != nil {
		n += len(c.Actor) + len(c.Duty) + len(c.Reason) + len(c.Message)
		if b := c.Because; b != nil {
			n += len(b.Kind) + len(b.Namespace) + len(b.Name) + 16
		}
	}
	return n
}

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }
