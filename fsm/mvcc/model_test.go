package mvcc_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor/fsm/mvcc"
)

// fact is what the model remembers of a version.
type fact struct {
	key      string
	revision uint64
	deleted  bool
}

func factOf(v *mvcc.Version) fact { return fact{v.Key, v.Revision, v.Deleted} }

// store is one writer of a tree and a history, beside a model of plain maps. It
// prunes as the state machine does: revision by revision, up to the floor.
type store struct {
	tree    mvcc.Tree
	history mvcc.History
	// cursor is the last revision that was pruned.
	cursor, head uint64

	// chains are the model: every version of a key that is not pruned, oldest
	// first, and turns what each revision made, in order.
	chains map[string][]fact
	turns  map[uint64][]fact
}

func newStore(base uint64) *store {
	h := mvcc.NewHistory(base)
	return &store{
		tree: mvcc.NewTree(), history: h, cursor: h.Head(), head: h.Head(),
		chains: map[string][]fact{}, turns: map[uint64][]fact{},
	}
}

// turn makes one version of each key at the next revision.
func (s *store) turn(keys []string, deleted func(key string) bool) {
	s.head++
	var first, last *mvcc.Version
	for _, key := range keys {
		v := &mvcc.Version{Key: key, Revision: s.head, Deleted: deleted(key), Data: fmt.Appendf(nil, "%s@%d", key, s.head)}
		v.Link(s.tree.Head(key))
		s.tree.Set(v)
		if first == nil {
			first = v
		} else {
			last.LinkSibling(v)
		}
		last = v
		s.chains[key] = append(s.chains[key], factOf(v))
		s.turns[s.head] = append(s.turns[s.head], factOf(v))
	}
	if first == nil {
		s.history.Advance(s.head)
		return
	}
	s.history.Put(s.head, first)
}

// prune forgets what was superseded at or below floor.
func (s *store) prune(floor uint64) {
	for ; s.cursor < floor; s.cursor++ {
		for v := s.history.At(s.cursor + 1); v != nil; v = v.Sibling() {
			chain := s.chains[v.Key]
			at := slices.Index(chain, factOf(v))
			s.chains[v.Key] = chain[at:]
			v.Unlink()
			if v.Deleted && s.tree.Head(v.Key) == v {
				s.tree.Delete(v)
				delete(s.chains, v.Key)
			}
		}
	}
	s.history.Forget(s.cursor)
}

// published is what readers hold, with the model as it was at that moment.
type published struct {
	tree         mvcc.Tree
	history      mvcc.History
	cursor, head uint64
	chains       map[string][]fact
	turns        map[uint64][]fact
}

func (s *store) publish() published {
	p := published{tree: s.tree.Copy(), history: s.history, cursor: s.cursor, head: s.head, chains: map[string][]fact{}, turns: maps.Clone(s.turns)}
	for key, chain := range s.chains {
		p.chains[key] = slices.Clone(chain)
	}
	return p
}

// asOf is the model's newest version of a key at a revision.
func (p *published) asOf(key string, revision uint64) (fact, bool) {
	chain := p.chains[key]
	for _, f := range slices.Backward(chain) {
		if f.revision <= revision {
			return f, true
		}
	}
	return fact{}, false
}

// live are the model's objects at a revision, with prefix and after a key.
func (p *published) live(prefix, after string, revision uint64) []fact {
	var out []fact
	for _, key := range slices.Sorted(maps.Keys(p.chains)) {
		f, ok := p.asOf(key, revision)
		if ok && !f.deleted && strings.HasPrefix(key, prefix) && (after == "" || key > after) {
			out = append(out, f)
		}
	}
	return out
}

// check compares a published value with its model. floor is the newest one:
// revisions below it may be asked of nobody any more.
func (p *published) check(t *rapid.T, floor uint64) {
	if p.tree.Len() != len(p.chains) {
		t.Fatalf("the tree has %d heads, the model %d", p.tree.Len(), len(p.chains))
	}
	var heads []fact
	p.tree.Scan("", "", func(v *mvcc.Version) bool {
		heads = append(heads, factOf(v))
		return true
	})
	var want []fact
	for _, key := range slices.Sorted(maps.Keys(p.chains)) {
		chain := p.chains[key]
		want = append(want, chain[len(chain)-1])
		p.checkChain(t, key, floor)
	}
	same(t, "heads", heads, want)
	for _, revision := range []uint64{max(floor, p.cursor), (max(floor, p.cursor) + p.head) / 2, p.head} {
		if revision < floor || revision > p.head {
			continue
		}
		for _, prefix := range []string{"", "a/", "b/", "c/"} {
			for _, after := range []string{"", "a/k1", "a/k2x", "b/k3"} {
				var got []fact
				p.tree.ScanAt(prefix, after, revision, func(v *mvcc.Version) bool {
					got = append(got, factOf(v))
					return true
				})
				same(t, fmt.Sprintf("scan of %q after %q at %d", prefix, after, revision), got, p.live(prefix, after, revision))
			}
		}
	}
	for revision := p.cursor + 1; revision <= p.head; revision++ {
		var got []fact
		for v := p.history.At(revision); v != nil; v = v.Sibling() {
			got = append(got, factOf(v))
		}
		same(t, fmt.Sprintf("turn of revision %d", revision), got, p.turns[revision])
	}
	if p.history.Head() != p.head || p.history.At(p.head+1) != nil || p.history.At(p.head+1<<20) != nil {
		t.Fatalf("history has head %d, want %d and nothing above", p.history.Head(), p.head)
	}
}

// checkChain reads one key at every revision that the floor lets anyone ask.
// Whoever asks below it all the same is never shown a later version.
func (p *published) checkChain(t *rapid.T, key string, floor uint64) {
	for back := uint64(1); back < 8 && back < floor; back++ {
		if got := p.tree.At(key, floor-back); got != nil && got.Revision > floor-back {
			t.Fatalf("%s at %d, below the floor: %+v", key, floor-back, got)
		}
	}
	for revision := max(floor, p.cursor); revision <= p.head; revision++ {
		want, ok := p.asOf(key, revision)
		got := p.tree.At(key, revision)
		if (got != nil) != ok || ok && (factOf(got) != want || string(got.Data) != fmt.Sprintf("%s@%d", key, want.revision)) {
			t.Fatalf("%s at %d: %+v, want %+v (%t)", key, revision, got, want, ok)
		}
	}
}

func same(t *rapid.T, what string, got, want []fact) {
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(fact{})); diff != "" {
		t.Fatalf("%s (-model +published):\n%s", what, diff)
	}
}

// Whatever the writer does after it has published, turns or pruning, what
// readers hold answers as it did, down to the floor.
func TestWhatIsPublishedNeverChanges(t *testing.T) {
	keys := []string{"a/k1", "a/k2", "a/k3", "b/k3", "b/k4", "c/k1"}
	rapid.Check(t, func(t *rapid.T) {
		s := newStore(rapid.SampledFrom([]uint64{0, 1, 4095, 4096, 1e9}).Draw(t, "base"))
		var held []published
		floor := s.cursor
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1:
				held = append(held, s.publish())
			case 2:
				floor = rapid.Uint64Range(floor, s.head).Draw(t, "floor")
				s.prune(min(floor, s.cursor+rapid.Uint64Range(0, 5).Draw(t, "pruned")))
			case 3:
				s.turn(nil, nil)
			default:
				some := rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 1, 3, rapid.ID[string]).Draw(t, "keys")
				s.turn(some, func(key string) bool {
					head := s.tree.Head(key)
					return head != nil && !head.Deleted && rapid.IntRange(0, 2).Draw(t, "deletes") == 0
				})
			}
		}
		held = append(held, s.publish())
		for i := range held {
			held[i].check(t, floor)
		}
	})
}
