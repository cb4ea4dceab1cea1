package durability_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/durability"
	"github.com/candor-plane/candor/verify/history"
)

const (
	kept     = "acknowledged writes are kept"
	phantoms = "nothing is there that nobody wrote, and nothing twice"
	failed   = "what surely failed never appears"
	repeated = "a call that is repeated is done once"
)

func key(n int) string { return fmt.Sprintf("entries.test/a/k%d", n) }

// store is what a right cluster has after random writes, some of which were not
// acknowledged, and some refused; compacted up to floor.
func store(t *testing.T, seed, floor uint64) *durability.Recording {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 4))
	state, versions := map[string]history.Item{}, map[string]*history.Versions{}
	var operations []history.Operation
	clock, revision := int64(0), uint64(1)
	for i := range 120 {
		k := key(random.IntN(6))
		o := history.Operation{Client: "c", Kind: history.KindPut, Outcome: history.OutcomeOK, Invoke: clock, Return: clock + 5}
		clock += 10
		item := history.Item{Key: k, Value: fmt.Sprintf("v%d", i)}
		if _, there := state[k]; there && random.IntN(6) == 0 {
			o.Kind, item = history.KindDelete, history.Item{Key: k, Absent: true}
		}
		o.Items = []history.Item{item}
		draw := random.IntN(10)
		switch draw {
		case 0:
			o.Outcome, o.Reason = history.OutcomeFailed, candor.ReasonUnavailable
		case 1: // lost on the way
			o.Outcome, o.Reason = history.OutcomeUnknown, candor.ReasonOutcomeUnknown
		default:
			revision++
			o.Token = candor.Token{Term: 1, Index: revision + 5, Revision: revision}
			v := versions[k]
			if v == nil {
				v = &history.Versions{Key: k, Floor: floor}
				versions[k] = v
			}
			if item.Absent {
				v.Versions = append(v.Versions, history.Version{Revision: revision, Deleted: true, Value: state[k].Value})
				delete(state, k)
			} else {
				v.Versions = append(v.Versions, history.Version{Revision: revision, Value: item.Value})
				item.Version = revision
				state[k] = item
			}
			if draw == 2 {
				o.Outcome, o.Reason, o.Token = history.OutcomeUnknown, candor.ReasonOutcomeUnknown, candor.Token{}
			}
		}
		operations = append(operations, o)
	}
	h, err := history.New(operations)
	if err != nil {
		t.Fatal(err)
	}
	r := &durability.Recording{History: h, Finals: []durability.Final{{Scope: "entries.test/", Revision: revision}}}
	for _, k := range slices.Sorted(maps.Keys(versions)) {
		v := versions[k]
		v.Revision = revision
		v.Versions = compacted(v.Versions, floor)
		r.Versions = append(r.Versions, *v)
		if item, there := state[k]; there {
			r.Finals[0].Items = append(r.Finals[0].Items, item)
		}
	}
	token := candor.Token{Term: 1, Index: 9, Revision: 4}
	r.Repeats = []durability.Repeat{{Client: "c", RequestID: "r1", First: token, Again: token}, {Client: "c", RequestID: "r2", First: token, Reason: candor.ReasonRequestExpired}}
	return r
}

// compacted leaves out what was superseded at or below the floor, and a removal there
// that nothing followed.
func compacted(versions []history.Version, floor uint64) []history.Version {
	newest := -1
	for i := range versions {
		if versions[i].Revision <= floor {
			newest = i
		}
	}
	switch {
	case newest < 0:
		return versions
	case versions[newest].Deleted:
		return versions[newest+1:]
	default:
		return versions[newest:]
	}
}

func TestARightStorePasses(t *testing.T) {
	for seed := range uint64(150) {
		for _, floor := range []uint64{0, 20, 60, 200} {
			for _, one := range store(t, seed, floor).Check(1) {
				if one.Verdict == history.Violated || floor == 0 && one.Verdict != history.Pass {
					t.Fatalf("seed %d, floor %d: %+v, %+v", seed, floor, one, one.Violation)
				}
			}
		}
	}
}

// newest is an acknowledged write that has left a version which is still the newest.
func newest(r *durability.Recording, is func(history.Version) bool) (*history.Versions, int) {
	for i := range r.Versions {
		v := &r.Versions[i]
		for j := range r.History.All() {
			last := len(v.Versions) - 1
			if j.Outcome == history.OutcomeOK && last >= 0 && j.Token.Revision == v.Versions[last].Revision && is(v.Versions[last]) {
				return v, last
			}
		}
	}
	return nil, 0
}

func there(v history.Version) bool { return !v.Deleted }

func TestEachCorruptionIsFound(t *testing.T) {
	acknowledged := func(r *durability.Recording, n int) (*history.Versions, int) {
		for o := range r.History.All() {
			if o.Outcome != history.OutcomeOK || o.Items[0].Absent {
				continue
			}
			if n--; n > 0 {
				continue
			}
			at := slices.IndexFunc(r.Versions, func(v history.Versions) bool { return v.Key == o.Items[0].Key })
			v := &r.Versions[at]
			return v, slices.IndexFunc(v.Versions, func(one history.Version) bool { return one.Revision == o.Token.Revision })
		}
		return nil, 0
	}
	for _, c := range []struct {
		name, property string
		do             func(r *durability.Recording)
	}{
		{"a version is lost", kept, func(r *durability.Recording) {
			v, at := acknowledged(r, 30)
			v.Versions = slices.Delete(v.Versions, at, at+1)
		}},
		{"the newest is lost", kept, func(r *durability.Recording) {
			v, at := newest(r, there)
			v.Versions = v.Versions[:at]
		}},
		{"the newest is lost, below the floor", kept, func(r *durability.Recording) {
			v, at := newest(r, there)
			v.Versions, v.Floor = slices.Clone(v.Versions[max(0, at-1):at]), v.Revision
			if len(v.Versions) > 0 {
				v.Versions[0].Deleted = false
			}
		}},
		{"another value", kept, func(r *durability.Recording) {
			v, at := acknowledged(r, 30)
			v.Versions[at].Value = "forged"
		}},
		{"a write is a removal", kept, func(r *durability.Recording) {
			v, at := acknowledged(r, 12)
			v.Versions[at].Deleted = true
		}},
		{"an older one in the list", kept, func(r *durability.Recording) {
			v, at := newest(r, there)
			item(r, v.Key).Version = v.Versions[at].Revision - 1
		}},
		{"another value in the list", kept, func(r *durability.Recording) {
			v, _ := newest(r, there)
			item(r, v.Key).Value = "forged"
		}},
		{"a removed one in the list", kept, func(r *durability.Recording) {
			v, at := newest(r, func(v history.Version) bool { return v.Deleted })
			if v == nil {
				v, _ = newest(r, there)
				item(r, v.Key).Value = "forged"
				return
			}
			r.Finals[0].Items = append(r.Finals[0].Items, history.Item{Key: v.Key, Value: "x", Version: v.Versions[at].Revision})
		}},
		{"a phantom", phantoms, func(r *durability.Recording) {
			r.Versions[2].Versions = append(r.Versions[2].Versions, history.Version{Revision: r.Versions[2].Revision + 1, Value: "nobody's"})
		}},
		{"a write is done twice", phantoms, func(r *durability.Recording) {
			v, at := newest(r, there)
			v.Versions = append(v.Versions, history.Version{Revision: v.Revision + 1, Value: v.Versions[at].Value})
		}},
		{"a write of unknown outcome is done twice", phantoms, func(r *durability.Recording) {
			for o := range r.History.All() {
				if o.Outcome != history.OutcomeUnknown || o.Items[0].Absent {
					continue
				}
				at := slices.IndexFunc(r.Versions, func(v history.Versions) bool { return v.Key == o.Items[0].Key })
				v := &r.Versions[at]
				for n := range uint64(2) {
					v.Versions = append(v.Versions, history.Version{Revision: v.Revision + 1 + n, Value: o.Items[0].Value})
				}
				return
			}
		}},
		{"a phantom in the list", phantoms, func(r *durability.Recording) {
			r.Finals[0].Items[0].Version, r.Finals[0].Items[0].Value = r.Finals[0].Revision+1, "nobody's"
		}},
		{"a failed write is there", failed, func(r *durability.Recording) {
			for o := range r.History.All() {
				if o.Outcome == history.OutcomeFailed && o.Items[0].Value != "" {
					at := slices.IndexFunc(r.Versions, func(v history.Versions) bool { return v.Key == o.Items[0].Key })
					r.Versions[at].Versions = append(r.Versions[at].Versions, history.Version{Revision: r.Versions[at].Revision + 1, Value: o.Items[0].Value})
					return
				}
			}
		}},
		{"a repeat is done again", repeated, func(r *durability.Recording) { r.Repeats[0].Again.Revision++ }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(12) {
				r := store(t, seed, 0)
				c.do(r)
				for _, one := range r.Check(1) {
					if one.Property == c.property && (one.Verdict != history.Violated || len(one.Violation.Operations)+len(one.Violation.Exhibits) == 0) {
						t.Errorf("seed %d: %s: %s", seed, one.Property, one.Verdict)
					}
				}
			}
		})
	}
}

func item(r *durability.Recording, key string) *history.Item {
	items := r.Finals[0].Items
	return &items[slices.IndexFunc(items, func(i history.Item) bool { return i.Key == key })]
}

// TestAListThatLacksAnAcknowledgedWriteIsFound, where nobody may have removed it.
func TestAListThatLacksAnAcknowledgedWriteIsFound(t *testing.T) {
	h, err := history.New([]history.Operation{{
		Client: "c", Kind: history.KindCreate, Items: []history.Item{{Key: key(1), Value: "v"}}, Outcome: history.OutcomeOK, Return: 5, Token: candor.Token{Term: 1, Index: 7, Revision: 3},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := &durability.Recording{History: h, Finals: []durability.Final{{Scope: "entries.test/", Revision: 9}}, Versions: []history.Versions{{Key: key(1), Revision: 9}}}
	got := r.Check(1)[0]
	if got.Verdict != history.Violated || got.Violations != 2 || len(got.Violation.Operations) != 1 {
		t.Errorf("%+v", got)
	}
}
