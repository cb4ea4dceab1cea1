package fsm

import (
	"github.com/tidwall/btree"
	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/wire"
)

// The objects of kind transitions.candor are the plans and how they ended. Beside
// them stands an index: for each kind and target what pends, and the newest that
// ended. It is what events are judged by, and changes in the turns that change the
// objects; besides, configuration entries and leaders' first commands note in it what
// they show to have happened.

// TransitionEntry is what the root's index holds of one kind and target.
type TransitionEntry struct {
	Kind   transition.Kind
	Target string
	transition.Entry
	// Void says that what pends was planned for the members of another history: it ends
	// with the next leader's first command.
	Void bool
}

func (x *TransitionEntry) key() string { return transitionKey(x.Kind, x.Target) }

// A kind has no slash.
func transitionKey(kind transition.Kind, target string) string { return string(kind) + "/" + target }

type transitionIndex = btree.Map[string, TransitionEntry]

// Transition is what the index holds of a kind and target; zero for nothing.
func (v *View) Transition(kind transition.Kind, target string) TransitionEntry {
	x, ok := v.transitions.Get(transitionKey(kind, target))
	if !ok {
		return TransitionEntry{Kind: kind, Target: target}
	}
	return x
}

// PendingTransitions are those that have not ended, by kind and target, at most
// limit: of one kind, or of all where it is empty. Their status is the root's own.
func (v *View) PendingTransitions(kind transition.Kind, limit int) []transition.Transition {
	var out []transition.Transition
	from := ""
	if kind != "" {
		from = transitionKey(kind, "")
	}
	v.transitions.Ascend(from, func(_ string, x TransitionEntry) bool {
		if kind != "" && x.Kind != kind || len(out) >= limit {
			return false
		}
		if t, ok := v.transitionAt(x.Pending.ID); ok {
			out = append(out, t)
		}
		return true
	})
	return out
}

// transitionAt reads the object of a transition.
func (v *View) transitionAt(id string) (transition.Transition, bool) {
	if id == "" {
		return transition.Transition{}, false
	}
	x, err := v.Get(candor.Ref{Kind: candor.KindTransitions, Name: id}, 0)
	if err != nil || x == nil {
		return transition.Transition{}, false
	}
	t, bad := transitionOf(mustDecode(x))
	return t, bad == nil
}

// DisposableTransitions names transitions that ended keep nanoseconds before the
// view's cluster time or earlier, in the order of their names, at most limit.
func (v *View) DisposableTransitions(keep int64, limit int) []string {
	var out []string
	_ = v.List(candor.KindTransitions, "", "", 0, func(x *mvcc.Version) bool {
		t, err := transitionOf(mustDecode(x))
		if err == nil && t.Status.Disposable(v.time, keep) {
			out = append(out, t.Plan.ID())
		}
		return len(out) < limit
	})
	return out
}

func transitionOf(o *candor.Object) (transition.Transition, *candor.Error) {
	plan, err := transition.ReadSpec(o.Spec)
	if err != nil {
		return transition.Transition{}, err
	}
	status, err := transition.ReadStatus(o.Status)
	if err != nil {
		return transition.Transition{}, err
	}
	return transition.Transition{Plan: plan, Status: status}, nil
}

func (s *state) transition(kind transition.Kind, target string) TransitionEntry {
	x, ok := s.transitions.Get(transitionKey(kind, target))
	if !ok {
		return TransitionEntry{Kind: kind, Target: target}
	}
	return x
}

// setTransition replaces an entry of the index, or takes out one that holds nothing.
func (s *state) setTransition(x TransitionEntry) {
	s.transitionsStale = true
	if old, ok := s.transitions.Get(x.key()); ok {
		s.transitionSum.remove(old.hash())
	}
	if x.Pending.IsZero() && x.Ended.IsZero() {
		s.transitions.Delete(x.key())
		return
	}
	s.transitions.Set(x.key(), x)
	s.transitionSum.add(x.hash())
}

// pendingMembership are the entries of membership changes that pend, in their order.
func (s *state) pendingMembership() []TransitionEntry {
	var out []TransitionEntry
	for _, kind := range membershipKinds {
		s.transitions.Ascend(transitionKey(kind, ""), func(_ string, x TransitionEntry) bool {
			if x.Kind == kind && !x.Pending.IsZero() {
				out = append(out, x)
			}
			return x.Kind == kind
		})
	}
	return out
}

var membershipKinds = []transition.Kind{
	transition.LeaderTransfer, transition.MemberAdd, transition.MemberPromote, transition.MemberRemove, transition.MemberReplace,
}

func (x *TransitionEntry) hash() xxh3.Uint128 {
	var scratch [512]byte
	return xxh3.Hash128(appendTransitionEntry(scratch[:0], x))
}

// appendTransitionEntry appends the stored form: equal entries have equal bytes.
func appendTransitionEntry(b []byte, x *TransitionEntry) []byte {
	b = wire.AppendString(b, 1, string(x.Kind))
	b = wire.AppendString(b, 2, x.Target)
	for field, r := range [...]*transition.Record{3: &x.Pending, 4: &x.Ended} {
		if r != nil && !r.IsZero() {
			b = wire.AppendNested(b, field, func(b []byte) []byte { return appendTransitionRecord(b, r) })
		}
	}
	return wire.AppendBool(b, 5, x.Void)
}

func appendTransitionRecord(b []byte, r *transition.Record) []byte {
	b = wire.AppendString(b, 1, r.ID)
	b = wire.AppendUint(b, 2, r.Planned)
	b = wire.AppendUint(b, 3, r.Ended)
	b = wire.AppendBytes(b, 4, r.Intent[:])
	b = wire.AppendString(b, 5, string(r.Phase))
	b = wire.AppendUint(b, 6, r.Shown)
	return wire.AppendString(b, 7, r.SupersededBy)
}

func decodeTransitionEntry(data []byte) (TransitionEntry, error) {
	var x TransitionEntry
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case 1:
			x.Kind = transition.Kind(clone(r.String()))
		case 2:
			x.Target = clone(r.String())
		case 3:
			x.Pending = decodeTransitionRecord(&r)
		case 4:
			x.Ended = decodeTransitionRecord(&r)
		case 5:
			x.Void = r.Bool()
		}
	}
	if err := r.Err(); err != nil {
		return x, err
	}
	if x.Pending.IsZero() && x.Ended.IsZero() || x.Kind.Check() != nil {
		return x, candor.Errorf(candor.ReasonDataCorrupt, "an entry of the transitions holds none")
	}
	return x, nil
}

func decodeTransitionRecord(outer *wire.Reader) transition.Record {
	var x transition.Record
	r := wire.NewReader(outer.Bytes())
	for r.Next() {
		switch r.Field() {
		case 1:
			x.ID = clone(r.String())
		case 2:
			x.Planned = r.Uint()
		case 3:
			x.Ended = r.Uint()
		case 4:
			if p := r.Bytes(); len(p) == len(x.Intent) {
				x.Intent = transition.Digest(p)
			} else {
				outer.Fail()
			}
		case 5:
			x.Phase = transition.Phase(clone(r.String()))
		case 6:
			x.Shown = r.Uint()
		case 7:
			x.SupersededBy = clone(r.String())
		}
	}
	if r.Err() != nil {
		outer.Fail()
	}
	return x
}
