package servertest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// moment is everything at one revision, and what it changed.
type moment struct {
	revision uint64
	objects  map[candor.Ref]*candor.Object
	changes  []rewrite
}

type rewrite struct {
	ref           candor.Ref
	before, after *candor.Object // nil of what is not there
	cause         *candor.Cause
}

var workKinds = []candor.KindName{candor.KindNodes, candor.KindDisruptionBudgets, candor.KindWorkloads, candor.KindInstances}

// walk visits every revision that the view has, from the first.
func walk(t testing.TB, view *fsm.View, visit func(m *moment)) {
	t.Helper()
	if view.Floor() > 1 {
		t.Fatalf("the history begins at revision %d", view.Floor())
	}
	m := &moment{objects: map[candor.Ref]*candor.Object{}}
	for m.revision = 1; m.revision <= view.Token().Revision; m.revision++ {
		m.changes = m.changes[:0]
		for v := view.Turn(m.revision); v != nil; v = v.Sibling() {
			kind := view.KindName(v.Kind)
			if !slices.Contains(workKinds, kind) {
				continue
			}
			o, err := v.Object()
			if err != nil {
				t.Fatal(err)
			}
			x := rewrite{ref: candor.Ref{Kind: kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}, after: o, cause: o.Cause}
			x.before = m.objects[x.ref]
			m.objects[x.ref] = o
			if v.Deleted {
				x.after = nil
				delete(m.objects, x.ref)
			}
			m.changes = append(m.changes, x)
		}
		if len(m.changes) > 0 {
			visit(m)
		}
	}
}

func listed(t testing.TB, view *fsm.View, kind candor.KindName) (out []*candor.Object) {
	t.Helper()
	if err := view.List(kind, "", "", 0, func(v *mvcc.Version) bool {
		o, err := v.Object()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// wantSoundHistory waits until every server has the same state, and wants of every
// revision that the servers made: that no node holds more than it has; that an instance is
// placed once and ends once; and that no workload was given more instances than its
// strategy allows. Every decision replays, accounts are what a count comes to, and nothing
// is left behind. It returns how many decisions there were.
func wantSoundHistory(s *site) (decisions int) {
	s.Helper()
	wantEqualStates(s.T, s.c)
	view := s.c.Leader().Machine().View()
	walk(s.T, view, func(m *moment) {
		wantCapacity(s.T, m)
		for i := range m.changes {
			wantOnePlace(s.T, m, &m.changes[i])
			wantNoMoreThanAllowed(s.T, m, &m.changes[i])
		}
	})
	decisions = wantReplays(s.T, view)
	wantAccounts(s.T, view)
	wantNothingLeft(s.T, view)
	for _, server := range s.c.Servers() {
		if n := server.Machine().View().Stats().Violations; n != 0 {
			s.Errorf("%s: invariants blocked %d turns: %+v", server.Name(), n, server.Machine().View().Records())
		}
	}
	return decisions
}

// held is what live placements hold, by the node's UID.
func held(t testing.TB, objects map[candor.Ref]*candor.Object) map[string]map[string]int64 {
	t.Helper()
	out := map[string]map[string]int64{}
	for ref, o := range objects {
		if ref.Kind != candor.KindInstances {
			continue
		}
		status := instanceStatus(t, o)
		if status.Node == "" || status.Phase.Ended() {
			continue
		}
		var spec candor.InstanceSpec
		if err := json.Unmarshal(o.Spec, &spec); err != nil {
			t.Fatal(err)
		}
		if out[status.NodeUID] == nil {
			out[status.NodeUID] = map[string]int64{}
		}
		out[status.NodeUID][""]++
		for _, a := range spec.Resources {
			out[status.NodeUID][a.Name] += a.Value
		}
	}
	return out
}

func wantCapacity(t testing.TB, m *moment) {
	t.Helper()
	of := held(t, m.objects)
	for ref, o := range m.objects {
		var observed candor.NodeObserved
		if ref.Kind != candor.KindNodes || len(o.Observed) == 0 {
			continue
		}
		if err := json.Unmarshal(o.Observed, &observed); err != nil {
			t.Fatal(err)
		}
		for name, amount := range of[o.Metadata.UID] {
			if name != "" && amount > observed.Capacity.Get(name) {
				t.Errorf("revision %d: %s holds %d of %s, and has %d", m.revision, ref, amount, name, observed.Capacity.Get(name))
			}
		}
	}
}

func wantOnePlace(t testing.TB, m *moment, x *rewrite) {
	t.Helper()
	if x.ref.Kind != candor.KindInstances || x.before == nil || x.after == nil || x.before.Metadata.UID != x.after.Metadata.UID {
		return
	}
	was, is := instanceStatus(t, x.before), instanceStatus(t, x.after)
	if was.Node != "" && (was.Node != is.Node || was.NodeUID != is.NodeUID) {
		t.Errorf("revision %d: %s moved from %s to %s", m.revision, x.ref, was.Node, is.Node)
	}
	if was.Phase.Ended() && was.Phase != is.Phase {
		t.Errorf("revision %d: %s was %s and is %s", m.revision, x.ref, was.Phase, is.Phase)
	}
}

// living are a workload's instances that have not ended and are not ending.
func living(t testing.TB, objects map[candor.Ref]*candor.Object, workload *candor.Object) (out []*candor.Object) {
	t.Helper()
	for ref, o := range objects {
		owned := slices.ContainsFunc(o.Metadata.Owners, func(r candor.OwnerReference) bool { return r.Controller && r.UID == workload.Metadata.UID })
		if ref.Kind == candor.KindInstances && owned && !o.Terminating() && !instanceStatus(t, o).Phase.Ended() {
			out = append(out, o)
		}
	}
	return out
}

// limits are the fewest that are to be available, and the most that may live.
func limits(t testing.TB, workload *candor.Object) (least, most int) {
	t.Helper()
	var spec candor.WorkloadSpec
	if err := json.Unmarshal(workload.Spec, &spec); err != nil {
		t.Fatal(err)
	}
	quarter := candor.Share{Count: 25, Percent: true}
	unavailable, surge := &quarter, &quarter
	if spec.Update.MaxUnavailable != nil {
		unavailable = spec.Update.MaxUnavailable
	}
	if spec.Update.MaxSurge != nil {
		surge = spec.Update.MaxSurge
	}
	n := spec.Replicas
	return int(n - unavailable.Of(n, false)), int(n + surge.Of(n, true))
}

// wantNoMoreThanAllowed judges the revisions that make instances.
func wantNoMoreThanAllowed(t testing.TB, m *moment, x *rewrite) {
	t.Helper()
	if x.ref.Kind != candor.KindInstances || x.before != nil || x.after == nil {
		return
	}
	for ref, w := range m.objects {
		if ref.Kind != candor.KindWorkloads || x.after.Metadata.Labels[candor.LabelWorkload] != ref.Name {
			continue
		}
		if _, most := limits(t, w); len(living(t, m.objects, w)) > most {
			t.Errorf("revision %d makes %s the %d. of %s, of which %d may be", m.revision, x.ref, len(living(t, m.objects, w)), ref, most)
		}
	}
}

// wantReplays decides again whatever was ever decided, on the state at its token.
func wantReplays(t testing.TB, view *fsm.View) (decisions int) {
	t.Helper()
	type decided struct {
		scheduler.Earlier
		revision, era uint64
	}
	at := map[uint64][]decided{} // by the revision of the token
	walk(t, view, func(m *moment) {
		for i := range m.changes {
			x := &m.changes[i]
			if x.ref.Kind != candor.KindInstances || x.after == nil {
				continue
			}
			d := instanceStatus(t, x.after).Decision
			if d == nil || x.before != nil && x.before.Metadata.UID == x.after.Metadata.UID && sameDecision(instanceStatus(t, x.before).Decision, d) {
				continue
			}
			at[d.Token.Revision] = append(at[d.Token.Revision], decided{scheduler.Earlier{Ref: x.ref, Decision: *d}, m.revision, x.cause.Era})
			decisions++
		}
	})
	model := scheduler.NewModel()
	done := map[uint64]bool{}
	replay := func(revision uint64) {
		done[revision] = true
		for _, d := range at[revision] {
			var earlier []scheduler.Earlier
			for _, e := range at[revision] {
				if e.revision <= d.revision && e.era == d.era && e.Decision.Token == d.Decision.Token {
					earlier = append(earlier, e.Earlier)
				}
			}
			model.Advance(d.Decision.Token)
			if got := scheduler.Replay(model, earlier, d.Ref, &d.Decision); !got.Same {
				t.Errorf("%s, %s, written at revision %d: %s, %s", d.Ref, d.Decision.ID, d.revision, got.Reason, got.Message)
			}
		}
	}
	// A token may be of a revision that changed none of the kinds: what is decided on is
	// then what the newest before it left.
	tokens := slices.Sorted(maps.Keys(at))
	walk(t, view, func(m *moment) {
		for len(tokens) > 0 && tokens[0] < m.revision {
			replay(tokens[0])
			tokens = tokens[1:]
		}
		for i := range m.changes {
			x := &m.changes[i]
			if x.after == nil {
				model.Remove(x.ref)
				continue
			}
			if _, err := model.Apply(x.after, x.ref.Kind); err != nil {
				t.Errorf("revision %d: %v", m.revision, err)
			}
		}
	})
	for _, revision := range tokens {
		replay(revision)
	}
	return decisions
}

func sameDecision(a, b *candor.Decision) bool {
	return a != nil && a.ID == b.ID && a.Instance == b.Instance && a.Verdict == b.Verdict
}

func wantAccounts(t testing.TB, view *fsm.View) {
	t.Helper()
	objects := map[candor.Ref]*candor.Object{}
	for _, o := range listed(t, view, candor.KindInstances) {
		objects[candor.Ref{Kind: candor.KindInstances, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}] = o
	}
	want, have := held(t, objects), map[string]map[string]int64{}
	view.Accounts(func(a fsm.Account) bool {
		have[a.NodeUID] = map[string]int64{"": int64(a.Instances)}
		for _, amount := range a.Held {
			have[a.NodeUID][amount.Name] = amount.Value
		}
		return true
	})
	if fmt.Sprint(want) != fmt.Sprint(have) {
		t.Errorf("the accounts are %v; a count comes to %v", have, want)
	}
}

// wantNothingLeft: every instance has the workload that it was made for, and none waits
// for an end that has come.
func wantNothingLeft(t testing.TB, view *fsm.View) {
	t.Helper()
	workloads, nodes := map[string]bool{}, map[string]bool{}
	for _, o := range listed(t, view, candor.KindWorkloads) {
		workloads[o.Metadata.UID] = true
	}
	for _, o := range listed(t, view, candor.KindNodes) {
		nodes[o.Metadata.UID] = true
	}
	for _, o := range listed(t, view, candor.KindInstances) {
		status := instanceStatus(t, o)
		for _, owner := range o.Metadata.Owners {
			if !workloads[owner.UID] {
				t.Errorf("%s belongs to %s, which is gone", o.Metadata.Name, owner.Name)
			}
		}
		if len(o.Metadata.Owners) == 0 && o.Metadata.Labels[candor.LabelWorkload] != "" {
			t.Errorf("%s belongs to nobody", o.Metadata.Name)
		}
		if o.Terminating() {
			t.Errorf("%s is still ending: %s, %s", o.Metadata.Name, o.Status, o.Observed)
		}
		if status.Node != "" && !nodes[status.NodeUID] && !status.Phase.Ended() {
			t.Errorf("%s lives on %s, which is gone", o.Metadata.Name, status.Node)
		}
	}
}
