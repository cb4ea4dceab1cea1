package invariant_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

const widgets = candor.KindName("widgets.test")

var (
	ref  = candor.Ref{Kind: widgets, Namespace: "team", Name: "a"}
	team = candor.Ref{Kind: candor.KindNamespaces, Name: "team"}
	born = time.Unix(1_700_000_000, 0).UTC()
)

// turn is one at revision 8 that changes one object, and what lives after it.
type turn struct {
	invariant.Turn
	live map[candor.Ref]*candor.Object
}

func (t *turn) change() *invariant.Change { return &t.Changes[0] }

// stored is a as revision 7 left it.
func stored() *candor.Object {
	return &candor.Object{
		APIVersion: "test/v1", Kind: "Widget", Spec: []byte(`{"n":1}`), Status: []byte(`{"phase":"Ready"}`), Observed: []byte(`{"n":1}`),
		Metadata: candor.Metadata{
			Name: "a", Namespace: "team", UID: "uid-a", Generation: 3, ResourceVersion: 7, CreateRevision: 4, CreationTime: born,
			Labels: map[string]string{"app": "x"}, Annotations: map[string]string{"note": "y"}, Finalizers: []string{"test/hold"},
			Owners: []candor.OwnerReference{{Kind: widgets, Name: "p", UID: "uid-p"}, {Kind: widgets, Name: "q", UID: "uid-q"}},
		},
		Cause: &candor.Cause{Actor: "ana", PriorRevision: 6},
	}
}

func begin(before, after *candor.Object, allowed invariant.Section) *turn {
	t := &turn{live: map[candor.Ref]*candor.Object{
		team: {Metadata: candor.Metadata{Name: "team", UID: "uid-team"}},
		{Kind: widgets, Namespace: "team", Name: "p"}:  {Metadata: candor.Metadata{Name: "p", UID: "uid-p"}},
		{Kind: widgets, Name: "everywhere"}:            {Metadata: candor.Metadata{Name: "everywhere", UID: "uid-e"}},
		{Kind: widgets, Namespace: "other", Name: "o"}: {Metadata: candor.Metadata{Name: "o", UID: "uid-o"}},
	}}
	t.TokenBefore = candor.Token{Term: 2, Index: 40, Revision: 7}
	t.TokenAfter = candor.Token{Term: 2, Index: 41, Revision: 8}
	t.Changes = []invariant.Change{{Ref: ref, Before: before, After: after, Allowed: allowed}}
	t.Live = func(r candor.Ref) *candor.Object { return t.live[r] }
	return t
}

// update changes the spec of a.
func update() *turn {
	after := stored()
	after.Spec = []byte(`{"n":2}`)
	after.Metadata.Generation, after.Metadata.ResourceVersion = 4, 8
	after.Cause = &candor.Cause{Actor: "bob", PriorRevision: 7}
	return begin(stored(), after, invariant.SectionSpec)
}

// create makes a, owned by p.
func create() *turn {
	after := stored()
	after.Status, after.Observed = nil, nil
	after.Metadata.Generation, after.Metadata.ResourceVersion, after.Metadata.CreateRevision = 1, 8, 8
	after.Metadata.Owners = after.Metadata.Owners[:1]
	after.Cause = &candor.Cause{Actor: "ana"}
	return begin(nil, after, invariant.SectionSpec|invariant.SectionLife)
}

// report writes status or observed of a.
func report(section invariant.Section) *turn {
	t := update()
	c := t.change()
	c.Allowed, c.After.Spec, c.After.Metadata.Generation = section, stored().Spec, 3
	if section == invariant.SectionStatus {
		c.After.Status = []byte(`{"phase":"Gone"}`)
	} else {
		c.After.Observed = nil
	}
	return t
}

// remove ends a, which nothing holds.
func remove() *turn {
	before := stored()
	before.Metadata.Finalizers = nil
	return begin(before, nil, invariant.SectionLife)
}

// cascade takes owner q from a.
func cascade() *turn {
	t := update()
	c := t.change()
	c.Allowed, c.System, c.After.Spec, c.After.Metadata.Generation = invariant.SectionLife, true, stored().Spec, 3
	c.After.Metadata.Owners = c.After.Metadata.Owners[:1]
	return t
}

// nothing is a turn without changes.
func nothing() *turn {
	t := update()
	t.Changes, t.TokenAfter.Revision = nil, 7
	return t
}

// Rows without an invariant hold all of them; the others break exactly those
// that they name, which shows that each can fail and stands alone.
func TestEachInvariantHoldsOrNamesWhatBreaksIt(t *testing.T) {
	type edit func(*turn)
	broken := map[string]bool{}
	after := func(f func(*candor.Object)) edit { return func(t *turn) { f(t.change().After) } }
	for _, row := range []struct {
		what   string
		turn   *turn
		edit   edit
		breaks string
	}{
		{"update", update(), nil, ""},
		{"create", create(), nil, ""},
		{"status", report(invariant.SectionStatus), nil, ""},
		{"observation", report(invariant.SectionObserved), nil, ""},
		{"removal", remove(), nil, ""},
		{"cascade", cascade(), nil, ""},
		{"no change", nothing(), nil, ""},
		{"first index of a term", update(), func(t *turn) { t.TokenAfter.Term = 3 }, ""},
		{"labels alone", update(), after(func(o *candor.Object) {
			o.Spec, o.Metadata.Generation, o.Metadata.Labels = stored().Spec, 3, nil
		}), ""},
		{"marked for deletion", update(), after(func(o *candor.Object) {
			o.Spec, o.Metadata.Generation, o.Metadata.DeletionTime = stored().Spec, 3, born.Add(time.Hour)
		}), ""},
		{"owner without a namespace", create(), after(func(o *candor.Object) {
			o.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "everywhere", UID: "uid-e"}}
		}), ""},
		{"owner that is gone, named before", update(), func(t *turn) { delete(t.live, candor.Ref{Kind: widgets, Namespace: "team", Name: "p"}) }, ""},
		{"no namespace", create(), func(t *turn) {
			c := t.change()
			c.Ref.Namespace, c.After.Metadata.Namespace, c.After.Metadata.Owners = "", "", nil
		}, ""},
		{"update in a terminating namespace", update(), func(t *turn) { t.live[team].Metadata.DeletionTime = born }, ""},
		{"last finalizer and object go at once", remove(), func(t *turn) {
			t.change().Before.Metadata.Finalizers = []string{"test/hold"}
			t.change().Allowed |= invariant.SectionSpec
		}, ""},

		{"index back", nothing(), func(t *turn) { t.TokenAfter.Index = 39 }, "MonotonicToken"},
		{"term back", update(), func(t *turn) { t.TokenAfter.Term = 1 }, "MonotonicToken"},
		{"revision back", nothing(), func(t *turn) { t.TokenAfter.Revision = 6 }, "MonotonicToken MonotonicRevision"},

		{"revision stands still", update(), func(t *turn) { t.TokenAfter.Revision = 7 }, "MonotonicRevision"},
		{"revision skips", update(), func(t *turn) { t.TokenAfter.Revision = 9 }, "MonotonicRevision"},
		{"revision without a change", nothing(), func(t *turn) { t.TokenAfter.Revision = 8 }, "MonotonicRevision"},
		{"version of another revision", update(), after(func(o *candor.Object) { o.Metadata.ResourceVersion = 9 }), "MonotonicRevision"},
		{"replaces a later version", remove(), func(t *turn) { t.change().Before.Metadata.ResourceVersion = 8 }, "MonotonicRevision"},

		{"owner that is not there", create(), after(func(o *candor.Object) { o.Metadata.Owners[0].Name = "nobody" }), "ValidOwnerReference"},
		{"owner of another life", create(), after(func(o *candor.Object) { o.Metadata.Owners[0].UID = "uid-x" }), "ValidOwnerReference"},
		{"owner in another namespace", create(), after(func(o *candor.Object) {
			o.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "o", UID: "uid-o"}}
		}), "ValidOwnerReference"},
		{"owner with a namespace, owned without", create(), func(t *turn) {
			c := t.change()
			c.Ref.Namespace, c.After.Metadata.Namespace = "", ""
		}, "ValidOwnerReference"},
		{"owns itself", create(), func(t *turn) {
			o := t.change().After
			t.live[ref] = o
			o.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "a", UID: "uid-a"}}
		}, "ValidOwnerReference"},
		{"owner added by an update", update(), after(func(o *candor.Object) {
			o.Metadata.Owners = append(o.Metadata.Owners, candor.OwnerReference{Kind: widgets, Name: "p", UID: "uid-z"})
		}), "ValidOwnerReference"},

		{"client writes status", update(), after(func(o *candor.Object) { o.Status = nil }), "SectionWriter"},
		{"client writes observed", update(), after(func(o *candor.Object) { o.Observed = []byte(`{}`) }), "SectionWriter"},
		{"controller writes observed", report(invariant.SectionStatus), after(func(o *candor.Object) { o.Observed = nil }), "SectionWriter"},
		{"observer writes status", report(invariant.SectionObserved), after(func(o *candor.Object) { o.Status = nil }), "SectionWriter"},
		{"observer writes labels", report(invariant.SectionObserved), after(func(o *candor.Object) { o.Metadata.Labels = nil }), "SectionWriter"},
		{"controller writes annotations", report(invariant.SectionStatus), after(func(o *candor.Object) { o.Metadata.Annotations = nil }), "SectionWriter"},
		{"controller drops finalizers", report(invariant.SectionStatus), after(func(o *candor.Object) { o.Metadata.Finalizers = nil }), "SectionWriter"},
		{"controller drops owners", report(invariant.SectionStatus), after(func(o *candor.Object) { o.Metadata.Owners = nil }), "SectionWriter"},
		{"controller writes spec", report(invariant.SectionStatus), after(func(o *candor.Object) {
			o.Spec, o.Metadata.Generation = []byte(`{}`), 4
		}), "SectionWriter"},
		{"cascade exchanges owners", cascade(), after(func(o *candor.Object) {
			o.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "everywhere", UID: "uid-e"}}
		}), "SectionWriter"},
		{"cascade drops labels", cascade(), after(func(o *candor.Object) { o.Metadata.Labels = nil }), "SectionWriter"},

		{"spec changes uncounted", update(), after(func(o *candor.Object) { o.Metadata.Generation = 3 }), "GenerationCountsSpec"},
		{"spec counted twice", update(), after(func(o *candor.Object) { o.Metadata.Generation = 5 }), "GenerationCountsSpec"},
		{"status counted", report(invariant.SectionStatus), after(func(o *candor.Object) { o.Metadata.Generation = 4 }), "GenerationCountsSpec"},
		{"born with another generation", create(), after(func(o *candor.Object) { o.Metadata.Generation = 0 }), "GenerationCountsSpec"},

		{"another uid", update(), after(func(o *candor.Object) { o.Metadata.UID = "uid-b" }), "IdentityIsFixed"},
		{"no uid", create(), after(func(o *candor.Object) { o.Metadata.UID = "" }), "IdentityIsFixed"},
		{"another name", update(), after(func(o *candor.Object) { o.Metadata.Name = "b" }), "IdentityIsFixed"},
		{"no name", create(), func(t *turn) { t.change().Ref.Name, t.change().After.Metadata.Name = "", "" }, "IdentityIsFixed"},
		{"another namespace", update(), after(func(o *candor.Object) { o.Metadata.Namespace = "other" }), "IdentityIsFixed"},
		{"another kind", update(), after(func(o *candor.Object) { o.Kind = "Gadget" }), "IdentityIsFixed"},
		{"another birth", update(), after(func(o *candor.Object) { o.Metadata.CreateRevision = 5 }), "IdentityIsFixed"},
		{"another birthday", update(), after(func(o *candor.Object) { o.Metadata.CreationTime = born.Add(1) }), "IdentityIsFixed"},
		{"deletion taken back", update(), func(t *turn) { t.change().Before.Metadata.DeletionTime = born }, "IdentityIsFixed"},

		{"born in no such namespace", create(), func(t *turn) { delete(t.live, team) }, "NamespaceHolds"},
		{"born in a terminating namespace", create(), func(t *turn) { t.live[team].Metadata.DeletionTime = born }, "NamespaceHolds"},

		{"goes while held", remove(), func(t *turn) { t.change().Before.Metadata.Finalizers = []string{"test/hold"} }, "FinalizersHold"},

		{"more than the node has", placing("3"), nil, "CapacityNotExceeded"},
		{"a controller places", placing("0"), func(t *turn) { t.change().Allowed = invariant.SectionStatus | invariant.SectionSpec }, "OneLivePlacementPerInstance"},

		{"two eras active", update(), overTenure(func(_, after *tenure.Lineage) { after.Unfinished[0].State = tenure.StateActive }), "OneActiveTenurePerDuty HandoverEnds"},
		{"an era starts below the one before", update(), overTenure(func(_, after *tenure.Lineage) {
			after.Current.Start, after.Current.Bound = tenure.Frontiers{}, tenure.Frontiers{}
		}), "FrontierCovered"},
		{"an era cites another seal", update(), overTenure(func(_, after *tenure.Lineage) { after.Current.Lineage = tenure.Digest{1} }), "FrontierCovered"},
		{"an era is forgotten", update(), overTenure(func(before, after *tenure.Lineage) {
			*before = *after
			after.Unfinished = nil
		}), "HandoverEnds"},
		{"a sealed era writes", update(), func(t *turn) {
			_, after := handover()
			t.Fence = &invariant.Fence{Lineage: after, Era: 1}
		}, "SealedIsSilent"},
		{"the active era writes", update(), func(t *turn) {
			_, after := handover()
			t.Fence = &invariant.Fence{Lineage: after, Era: 2}
		}, ""},
		{"a handover", update(), overTenure(func(_, _ *tenure.Lineage) {}), ""},

		{"a transition ends", update(), overTransition(func(*turn, *invariant.Change, *invariant.TransitionChange) {}), ""},
		{"a transition of another name", update(), overTransition(func(_ *turn, c *invariant.Change, _ *invariant.TransitionChange) {
			c.Ref.Name, c.Before.Metadata.Name = "another", "another"
			after := *c.After
			after.Metadata.Name, c.After = "another", &after
		}), "TransitionIdentity"},
		{"a plan changes", update(), overTransition(func(_ *turn, c *invariant.Change, _ *invariant.TransitionChange) {
			c.After.Spec = bytes.Replace(c.After.Spec, []byte("ana"), []byte("bob"), 1)
			c.After.Metadata.Generation, c.Allowed = 2, c.Allowed|invariant.SectionSpec
		}), "TransitionIdentity"},
		{"a transition that cannot be read", update(), overTransition(func(t *turn, c *invariant.Change, _ *invariant.TransitionChange) {
			c.After.Status, t.Transitions = []byte(`{"phase":"LOST"}`), nil
		}), "TransitionIdentity"},
		{"the index has one that is no object", update(), overTransition(func(_ *turn, _ *invariant.Change, x *invariant.TransitionChange) {
			x.Before, x.After = transition.Entry{}, transition.Entry{Pending: transition.Record{ID: "member-remove-0"}}
		}), "TransitionIdentity"},
		{"a transition ends twice", update(), overTransition(func(_ *turn, c *invariant.Change, _ *invariant.TransitionChange) {
			c.Before.Status = bytes.Replace(c.After.Status, []byte(`"revision":8`), []byte(`"revision":5`), 1)
		}), "ForwardOnlyOutcome"},
		{"an end that the root does not have", update(), overTransition(func(_ *turn, c *invariant.Change, _ *invariant.TransitionChange) {
			c.After.Status = bytes.Replace(c.After.Status, []byte(`"publishState":"PUBLISHED"`), []byte(`"publishState":"PENDING"`), 1)
		}), "NoSkippedPublish"},
		{"the index ends one that goes on", update(), overTransition(func(_ *turn, c *invariant.Change, _ *invariant.TransitionChange) {
			c.After.Status = c.Before.Status
		}), "NoSkippedPublish"},
		{"the index forgets one that pends", update(), overTransition(func(_ *turn, _ *invariant.Change, x *invariant.TransitionChange) { x.After = transition.Entry{} }), "NoHiddenDrop"},
		{"one that pends is removed", update(), overTransition(func(t *turn, c *invariant.Change, _ *invariant.TransitionChange) {
			c.After, c.Allowed, t.Transitions = nil, invariant.SectionLife, nil
		}), "NoHiddenDrop"},

		{"no cause", update(), after(func(o *candor.Object) { o.Cause = nil }), "EveryVersionHasACause"},
		{"nobody's", create(), after(func(o *candor.Object) { o.Cause.Actor = "" }), "EveryVersionHasACause"},
		{"says it replaced another", update(), after(func(o *candor.Object) { o.Cause.PriorRevision = 6 }), "EveryVersionHasACause"},
		{"says it replaced something", create(), after(func(o *candor.Object) { o.Cause.PriorRevision = 7 }), "EveryVersionHasACause"},
	} {
		if row.edit != nil {
			row.edit(row.turn)
		}
		for name, was := range judge(t, row.what, row.turn, row.breaks) {
			broken[name] = broken[name] || was
		}
	}
	for name, was := range broken {
		if !was {
			t.Errorf("no row breaks %s", name)
		}
	}
}

// judge holds a turn to breaking exactly those invariants, and says of each whether it
// broke.
func judge(t *testing.T, what string, on *turn, breaks string) map[string]bool {
	t.Helper()
	broken := map[string]bool{}
	for _, check := range invariant.All() {
		v := check.Run(&on.Turn)
		meant := slices.Contains(strings.Fields(breaks), check.Name)
		broken[check.Name] = v != nil
		switch {
		case v == nil && meant:
			t.Errorf("%s: %s holds", what, check.Name)
		case v != nil && !meant:
			t.Errorf("%s: %s: %s: %s", what, v.Invariant, v.Subject, v.Detail)
		case v != nil && (v.Invariant != check.Name || v.Subject == "" || v.Detail == ""):
			t.Errorf("%s: %s reports %+v", what, check.Name, v)
		}
	}
	return broken
}

// The first change that breaks a promise is named, wherever it stands.
func TestEveryChangeOfATurnIsLookedAt(t *testing.T) {
	second := update()
	second.change().Ref.Name, second.change().Before.Metadata.Name, second.change().After.Metadata.Name = "b", "b", "b"
	second.change().After.Status = nil
	whole := update()
	whole.Changes = append(whole.Changes, second.Changes...)
	for _, check := range invariant.All() {
		v := check.Run(&whole.Turn)
		if check.Name != "SectionWriter" {
			if v != nil {
				t.Errorf("%+v", v)
			}
			continue
		}
		if v == nil || v.Subject != "widgets/team/b" {
			t.Errorf("%s found %+v", check.Name, v)
		}
	}
}

// handover is a duty whose first era is sealed, before and after its second.
func handover() (before, after tenure.Lineage) {
	duty, _ := tenure.DutyOf(tenure.DutyIDs)
	l := tenure.New(duty)
	now := tenure.Now{ClusterTime: 1, Term: 1}
	for _, e := range []tenure.Event{
		tenure.Campaign{Holder: "server/a", Candidacy: "a1", Duration: tenure.MinDuration},
		tenure.Reserve{Era: 1, Holder: "server/a", Bound: tenure.Frontiers{ID: 100}},
		tenure.Seal{Era: 1, Holder: "server/a", Usage: tenure.Frontiers{ID: 60}},
	} {
		l, _ = l.Apply(now, e)
	}
	after, _ = l.Apply(now, tenure.Campaign{Holder: "server/b", Candidacy: "b1", Expect: 1, Cite: l.Current.Seal, Start: l.Current.Usage, Duration: tenure.MinDuration})
	return l, after
}

// overTenure has the turn hand a duty over, as edited.
func overTenure(edit func(before, after *tenure.Lineage)) func(*turn) {
	return func(t *turn) {
		before, after := handover()
		edit(&before, &after)
		t.Tenures = []invariant.TenureChange{{Before: before, After: after}}
	}
}
