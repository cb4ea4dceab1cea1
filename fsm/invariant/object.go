package invariant

import (
	"bytes"
	"maps"
	"slices"

	"github.com/candor-plane/candor"
)

func validOwnerReference(t *Turn) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.After == nil {
			continue
		}
		for _, o := range c.After.Metadata.Owners {
			if c.Before != nil && slices.Contains(c.Before.Metadata.Owners, o) {
				continue
			}
			if owner := liveOwner(t, c.Ref.Namespace, o); owner == nil || owner.Metadata.UID != o.UID {
				return violated("ValidOwnerReference", c.Ref, "owner "+string(o.Kind)+" "+o.Name+" of uid "+o.UID+" does not live")
			}
			if o.UID == c.After.Metadata.UID {
				return violated("ValidOwnerReference", c.Ref, "object owns itself")
			}
		}
	}
	return nil
}

func liveOwner(t *Turn, namespace string, o candor.OwnerReference) *candor.Object {
	if owner := t.Live(candor.Ref{Kind: o.Kind, Namespace: namespace, Name: o.Name}); owner != nil || namespace == "" {
		return owner
	}
	return t.Live(candor.Ref{Kind: o.Kind, Name: o.Name})
}

func sectionWriter(t *Turn) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.Before == nil || c.After == nil {
			continue
		}
		b, a := c.Before, c.After
		if c.Allowed&SectionStatus == 0 && !bytes.Equal(b.Status, a.Status) {
			return violated("SectionWriter", c.Ref, "status changes")
		}
		if c.Allowed&SectionObserved == 0 && !bytes.Equal(b.Observed, a.Observed) {
			return violated("SectionWriter", c.Ref, "status.observed changes")
		}
		if c.Allowed&SectionSpec == 0 && (!bytes.Equal(b.Spec, a.Spec) || !sameIntent(&b.Metadata, &a.Metadata, c.System)) {
			return violated("SectionWriter", c.Ref, "spec or client metadata changes")
		}
	}
	return nil
}

// sameIntent compares what clients write in metadata. A cascade may drop owner
// references and add none.
func sameIntent(b, a *candor.Metadata, system bool) bool {
	owners := slices.Equal(b.Owners, a.Owners)
	if system && !owners {
		owners = len(a.Owners) < len(b.Owners)
		for _, o := range a.Owners {
			owners = owners && slices.Contains(b.Owners, o)
		}
	}
	return owners && maps.Equal(b.Labels, a.Labels) && maps.Equal(b.Annotations, a.Annotations) && slices.Equal(b.Finalizers, a.Finalizers)
}

func generationCountsSpec(t *Turn) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.After == nil {
			continue
		}
		want := uint64(1)
		if c.Before != nil {
			want = c.Before.Metadata.Generation
			if !bytes.Equal(c.Before.Spec, c.After.Spec) {
				want++
			}
		}
		if c.After.Metadata.Generation != want {
			return violated("GenerationCountsSpec", c.Ref, "generation does not count the changes of spec")
		}
	}
	return nil
}

func identityIsFixed(t *Turn) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.After == nil {
			continue
		}
		a := &c.After.Metadata
		if a.Name != c.Ref.Name || a.Namespace != c.Ref.Namespace || a.Name == "" || a.UID == "" {
			return violated("IdentityIsFixed", c.Ref, "object is stored under a name that it does not carry, or has no uid")
		}
		if c.Before == nil {
			continue
		}
		b := &c.Before.Metadata
		if a.UID != b.UID || a.CreateRevision != b.CreateRevision || !a.CreationTime.Equal(b.CreationTime) ||
			c.After.Kind != c.Before.Kind || (!b.DeletionTime.IsZero() && !a.DeletionTime.Equal(b.DeletionTime)) {
			return violated("IdentityIsFixed", c.Ref, "uid, kind, creation or deletion time changes")
		}
	}
	return nil
}

func namespaceHolds(t *Turn) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.After == nil || c.Ref.Namespace == "" || c.Before != nil {
			continue
		}
		ns := t.Live(candor.Ref{Kind: candor.KindNamespaces, Name: c.Ref.Namespace})
		if ns == nil || ns.Terminating() {
			return violated("NamespaceHolds", c.Ref, "object is born in a namespace that is missing or terminating")
		}
	}
	return nil
}

func finalizersHold(t *Turn) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.After == nil && c.Before != nil && len(c.Before.Metadata.Finalizers) > 0 && c.Allowed&SectionSpec == 0 {
			return violated("FinalizersHold", c.Ref, "object goes while finalizers hold it")
		}
	}
	return nil
}

func everyVersionHasACause(t *Turn) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.After == nil {
			continue
		}
		prior := uint64(0)
		if c.Before != nil {
			prior = c.Before.Metadata.ResourceVersion
		}
		if c.After.Cause == nil || c.After.Cause.Actor == "" || c.After.Cause.PriorRevision != prior {
			return violated("EveryVersionHasACause", c.Ref, "version does not say who made it and what it replaced")
		}
	}
	return nil
}
