package history_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// A mutation changes one thing in one operation of a correct history. It says
// false where the operation is none that the change would make a lie of.
type mutation struct {
	name   string
	change func(m *model, all []history.Operation, i int) bool
	caught history.Checker
}

var mutations = []mutation{
	{"a read shows another value", func(_ *model, all []history.Operation, i int) bool {
		return changed(all, i, func(item *history.Item) { item.Value += "'" })
	}, history.Replay{}},
	{"a read shows another version", func(_ *model, all []history.Operation, i int) bool {
		return changed(all, i, func(item *history.Item) { item.Version++ })
	}, history.Replay{}},
	{"a read does not show what is there", func(_ *model, all []history.Operation, i int) bool {
		return changed(all, i, func(item *history.Item) {
			*item = history.Item{Key: item.Key, Absent: true}
		}) && !lostDelete(all, all[i].Items[0].Key)
	}, history.Replay{}},
	{"a read shows an older state at its revision", func(m *model, all []history.Operation, i int) bool {
		o := &all[i]
		if !got(o) || !byAcknowledged(all, o) {
			return false
		}
		older := m.item(o.Items[0].Key, o.Items[0].Version-1)
		o.Items = []history.Item{older}
		return !older.Absent
	}, history.Replay{}},
	{"a list forgets an object", func(_ *model, all []history.Operation, i int) bool {
		o := &all[i]
		if o.Kind != history.KindList || len(o.Items) == 0 || !byAcknowledged(all, o) || lostDelete(all, o.Items[0].Key) {
			return false
		}
		o.Items = o.Items[1:]
		return true
	}, history.Replay{}},
	{"a write that was seen surely failed", func(_ *model, all []history.Operation, i int) bool {
		o := &all[i]
		if !acknowledged(o) || o.Items[0].Absent || !slices.ContainsFunc(all, func(r history.Operation) bool {
			return got(&r) && r.Items[0].Version == o.Token.Revision && r.Items[0].Key == o.Items[0].Key
		}) || o.Token.Revision < 10 {
			return false // what is older than all others may be from before the recording
		}
		o.Outcome, o.Reason, o.Token = history.OutcomeFailed, candor.ReasonTimedOut, candor.Token{}
		return true
	}, history.Replay{}},
	{"two writes make one revision", func(_ *model, all []history.Operation, i int) bool {
		for n := range all[:i] {
			if acknowledged(&all[n]) && acknowledged(&all[i]) {
				all[i].Token = all[n].Token
				return true
			}
		}
		return false
	}, history.Turns{}},
	{"a token is of a later term", func(_ *model, all []history.Operation, i int) bool {
		o := &all[i]
		if !acknowledged(o) || !slices.ContainsFunc(all, func(b history.Operation) bool { return b.Token.Index > o.Token.Index }) {
			return false
		}
		o.Token.Term += 100
		return true
	}, history.Turns{}},
	{"a strong read is of an isolated leader", func(m *model, all []history.Operation, i int) bool {
		o := &all[i]
		return o.Freshness() == candor.FreshnessStrong && older(m, o, highest(all, o, func(*history.Operation) bool { return true }))
	}, history.RealTime{}},
	{"a write was seen before it began", func(_ *model, all []history.Operation, i int) bool {
		o := &all[i]
		if !acknowledged(o) || !slices.ContainsFunc(all, func(r history.Operation) bool { return got(&r) && r.Token.Revision >= o.Token.Revision }) {
			return false
		}
		o.Invoke += int64(time.Hour)
		o.Return += int64(time.Hour)
		return true
	}, history.RealTime{}},
	{"a bounded read misses what is older than allowed", func(_ *model, all []history.Operation, i int) bool {
		o := &all[i]
		since, missed := missed(all, o)
		if o.Freshness() != candor.FreshnessBounded || !missed {
			return false
		}
		o.Asked.MaxStaleness = new(since - 1)
		return true
	}, history.AskedBound{}},
	{"a claimed bound is too small", func(_ *model, all []history.Operation, i int) bool {
		o := &all[i]
		since, missed := missed(all, o)
		if o.Witness == nil || !missed {
			return false
		}
		o.Witness.StalenessBound = new(since - 1)
		return true
	}, history.ClaimedBound{}},
	{"an answer is labelled better than it is", func(_ *model, all []history.Operation, i int) bool {
		if all[i].Freshness() != candor.FreshnessBestEffort {
			return false
		}
		all[i].Witness.Class = candor.ServingAuthoritative
		return true
	}, history.Contract{}},
	{"lag 0 though nothing was heard", func(_ *model, all []history.Operation, i int) bool {
		if all[i].Freshness() != candor.FreshnessBestEffort {
			return false
		}
		all[i].Witness.RootLag = new(uint64)
		return true
	}, history.Contract{}},
	{"a claimed bound is above the one asked for", func(_ *model, all []history.Operation, i int) bool {
		if all[i].Freshness() != candor.FreshnessBounded {
			return false
		}
		all[i].Witness.StalenessBound = new(*all[i].Asked.MaxStaleness + 1)
		return true
	}, history.Contract{}},
	{"a class is served that was not asked for", func(_ *model, all []history.Operation, i int) bool {
		if all[i].Freshness() != candor.FreshnessStrong {
			return false
		}
		all[i].Witness.Served = candor.FreshnessBestEffort
		return true
	}, history.Contract{}},
	{"a session's own write is lost", func(m *model, all []history.Operation, i int) bool {
		return weak(&all[i]) && older(m, &all[i], highest(all, &all[i], func(b *history.Operation) bool {
			return b.Client == all[i].Client && !b.Kind.Reads()
		}))
	}, history.Session{Guarantee: history.ReadYourWrites}},
	{"a session goes back in time", func(m *model, all []history.Operation, i int) bool {
		return weak(&all[i]) && older(m, &all[i], highest(all, &all[i], func(b *history.Operation) bool {
			return b.Client == all[i].Client && b.Kind.Reads()
		}))
	}, history.Session{Guarantee: history.MonotonicReads}},
	{"a node goes back within its boot", func(m *model, all []history.Operation, i int) bool {
		return weak(&all[i]) && older(m, &all[i], highest(all, &all[i], func(b *history.Operation) bool {
			return b.Witness != nil && b.Witness.NodeID == all[i].Witness.NodeID
		}))
	}, history.NodeForward{}},
}

// TestEveryMutationOfACorrectHistoryIsCaught: what a model of a cluster that
// keeps its promises answers passes every check, and a single lie in it passes
// not the one that is there for it.
func TestEveryMutationOfACorrectHistoryIsCaught(t *testing.T) {
	applied := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 4).Draw(t, "keys"))
		m.finalizers = rapid.Bool().Draw(t, "finalizers")
		all := m.run(rapid.IntRange(1, 6).Draw(t, "clients"), rapid.IntRange(20, 250).Draw(t, "operations"))
		at := rapid.IntRange(0, len(all)-1).Draw(t, "at")
		if s := history.Check(mustTake(t, all), history.Standard(0)...); s.Verdict() == history.Violated {
			t.Fatalf("a correct history:\n%s", s)
		}
		if m.finalizers {
			return // what is going excuses much, and a lie may hide behind it
		}
		for _, mutation := range mutations {
			lie, ok := mutation.apply(m, all, at)
			if !ok {
				continue
			}
			applied[mutation.name]++
			if r := mutation.caught.Check(mustTake(t, lie)); r.Verdict != history.Violated {
				t.Fatalf("%s: not caught: %+v", mutation.name, r)
			}
		}
	})
	for _, mutation := range mutations {
		// A short run draws too few histories to have had every chance.
		if !testing.Short() && applied[mutation.name] < 5 {
			t.Errorf("%s: tried %d times only", mutation.name, applied[mutation.name])
		}
	}
	t.Log(applied)
}

// apply changes the first operation from at on that it can.
func (m mutation) apply(of *model, all []history.Operation, at int) ([]history.Operation, bool) {
	lie := slices.Clone(all)
	for n := range all {
		i := (at + n) % len(all)
		lie[i] = deep(all[i])
		if m.change(of, lie, i) {
			return lie, true
		}
		lie[i] = all[i]
	}
	return nil, false
}

func mustTake(t *rapid.T, all []history.Operation) *history.History {
	h, err := history.New(all)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// deep copies what a mutation changes.
func deep(o history.Operation) history.Operation {
	o.Items = slices.Clone(o.Items)
	if o.Asked != nil {
		o.Asked = new(*o.Asked)
	}
	if o.Witness != nil {
		o.Witness = new(*o.Witness)
	}
	return o
}

func got(o *history.Operation) bool {
	return o.Kind == history.KindGet && o.Outcome == history.OutcomeOK
}

func weak(o *history.Operation) bool {
	return o.Kind.Reads() && o.Freshness() != candor.FreshnessStrong
}

func acknowledged(o *history.Operation) bool {
	return !o.Kind.Reads() && o.Outcome == history.OutcomeOK
}

// byAcknowledged says whether the first that a read shows was made by an
// acknowledged write: had its outcome been unknown, and nobody else seen it,
// nobody could tell.
func byAcknowledged(all []history.Operation, o *history.Operation) bool {
	return !o.Items[0].Absent && slices.ContainsFunc(all, func(w history.Operation) bool {
		return acknowledged(&w) && w.Token.Revision == o.Items[0].Version
	})
}

// changed changes what a get of something shows.
func changed(all []history.Operation, i int, change func(*history.Item)) bool {
	if !got(&all[i]) || !byAcknowledged(all, &all[i]) {
		return false
	}
	change(&all[i].Items[0])
	return true
}

// lostDelete says whether a delete of the key may have happened at any time.
func lostDelete(all []history.Operation, key string) bool {
	return slices.ContainsFunc(all, func(o history.Operation) bool {
		return o.Kind != history.KindGet && o.Outcome == history.OutcomeUnknown &&
			slices.ContainsFunc(o.Items, func(i history.Item) bool { return i.Key == key && i.Absent })
	})
}

// highest is the highest revision of the operations that returned before o
// began.
func highest(all []history.Operation, o *history.Operation, of func(*history.Operation) bool) uint64 {
	revision := uint64(0)
	for i := range all {
		if b := &all[i]; b.Return < o.Invoke && of(b) {
			revision = max(revision, b.Token.Revision)
		}
	}
	return revision
}

// older makes a read one of the state just below revision, and true of it.
func older(m *model, o *history.Operation, revision uint64) bool {
	if revision < 2 || o.Outcome != history.OutcomeOK {
		return false
	}
	key := m.keys[0]
	if len(o.Items) > 0 {
		key = o.Items[0].Key
	}
	o.Token = m.token(revision - 1)
	o.Witness.ServedToken = o.Token
	m.show(o, key)
	return true
}

// missed is how long before o began the first write that it misses was
// acknowledged.
func missed(all []history.Operation, o *history.Operation) (time.Duration, bool) {
	var longest time.Duration
	for i := range all {
		if w := &all[i]; acknowledged(w) && o.Token.Revision != 0 && w.Token.Revision > o.Token.Revision {
			longest = max(longest, time.Duration(o.Invoke-w.Return))
		}
	}
	return longest, longest > 0
}
