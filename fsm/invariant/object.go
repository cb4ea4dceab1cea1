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
		if c.Allowed&SectionSpec == 0 && (!bytes.Equal(b.Spec, a.Spec) || !sameIntent(&b.Metadata, &a.Metadata, c)) {
			return violated("SectionWriter", c.Ref, "spec or client metadata changes")
		}
	}
	return nil
}

// sameIntent compares what clients write in metadata. A cascade may drop owner
// references and add none; a placing turn sets the label and the finalizer of its
// place, and a foreground deletion its finalizer.
func sameIntent(b, a *candor.Metadata, c *Change) bool {
	owners := slices.Equal(b.Owners, a.Owners)
	if c.System && !owners {
		owners = len(a.Owners) < len(b.Owners)
		for _, o := range a.Owners {
			owners = owners && slices.Contains(b.Owners, o)
		}
	}
	return owners && sameLabels(b.Labels, a.Labels, c.Allowed) && maps.Equal(b.Annotations, a.Annotations) && sameFinalizers(b.Finalizers, a.Finalizers, c.Allowed)
}

func sameLabels(b, a map[string]string, allowed Section) bool {
	if allowed&SectionPlace == 0 || b[candor.LabelNode] == a[candor.LabelNode] {
		return maps.Equal(b, a)
	}
	b, a = maps.Clone(b), maps.Clone(a)
	delete(b, candor.LabelNode)
	delete(a, candor.LabelNode)
	return maps.Equal(b, a)
}

func sameFinalizers(b, a []string, allowed Section) bool {
	if slices.Equal(b, a) {
		return true
	}
	if allowed&SectionPlace != 0 && slices.Equal(append(slices.Clip(b), candor.FinalizerStop), a) {
		return true
	}
	foreground := func(f string) bool { return f == candor.FinalizerForeground }
	return allowed&SectionLife != 0 && slices.Equal(slices.DeleteFunc(slices.Clone(b), foreground), slices.DeleteFunc(slices.Clone(a), foreground))
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
		if c.After != nil || c.Before == nil || c.Allowed&SectionSpec != 0 {
			continue
		}
		held := c.Before.Metadata.Finalizers
		if c.System && len(held) == 1 && held[0] == candor.FinalizerForeground {
			continue // the cascade that it stands for lets go
		}
		if len(held) > 0 {
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
