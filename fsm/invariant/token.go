package invariant

func monotonicToken(t *Turn) *Violation {
	b, a := t.TokenBefore, t.TokenAfter
	if a.Index < b.Index {
		return &Violation{Invariant: "MonotonicToken", Subject: a.String(), Detail: "index moves backward from " + b.String()}
	}
	if a.Term < b.Term {
		return &Violation{Invariant: "MonotonicToken", Subject: a.String(), Detail: "term moves backward from " + b.String()}
	}
	if a.Revision < b.Revision {
		return &Violation{Invariant: "MonotonicToken", Subject: a.String(), Detail: "revision moves backward from " + b.String()}
	}
	return nil
}

func monotonicRevision(t *Turn) *Violation {
	want := t.TokenBefore.Revision
	if len(t.Changes) > 0 {
		want++
	}
	if t.TokenAfter.Revision != want {
		return &Violation{Invariant: "MonotonicRevision", Subject: t.TokenAfter.String(), Detail: "revision is not the next one after " + t.TokenBefore.String()}
	}
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.After != nil && c.After.Metadata.ResourceVersion != want {
			return violated("MonotonicRevision", c.Ref, "version does not carry the turn's revision")
		}
		if c.Before != nil && c.Before.Metadata.ResourceVersion >= want {
			return violated("MonotonicRevision", c.Ref, "version replaces one that is not older")
		}
	}
	return nil
}
