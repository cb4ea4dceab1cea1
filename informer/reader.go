package informer

import (
	"iter"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/candor-plane/candor"
)

// Label declares an index: objects of a kind by the value of a label.
type Label struct {
	Kind candor.KindName
	Key  string
}

// Reader is the store at one moment. It does not change and may be used concurrently,
// kept as long as wanted, and read while the store goes on. Lists are in the order of
// namespace and name.
type Reader struct {
	token candor.Token
	kinds map[candor.KindName]shelf
	owned *btree.BTreeG[entry]
	items map[Label]*btree.BTreeG[entry]
}

// shelf is one kind.
type shelf struct {
	items *btree.BTreeG[*Item]
	// token is how far the kind has come, synced that it was filled once.
	token  candor.Token
	synced bool
}

// entry is an item by something that it has: an owner's UID, a label's value.
type entry struct {
	by   string
	item *Item
}

// Token is the position that every kind has reached.
func (r *Reader) Token() candor.Token { return r.token }

// Position is how far one kind has come: at or after Token. Kinds that are fed by one
// stream are all at Token.
func (r *Reader) Position(kind candor.KindName) candor.Token { return r.kinds[kind].token }

// Holds says whether the store was made for the kind.
func (r *Reader) Holds(kind candor.KindName) bool {
	_, holds := r.kinds[kind]
	return holds
}

// Synced says whether every kind was filled.
func (r *Reader) Synced() bool {
	for _, s := range r.kinds {
		if !s.synced {
			return false
		}
	}
	return true
}

// Get is the object at ref, or nil.
func (r *Reader) Get(ref candor.Ref) *Item {
	s, holds := r.kinds[ref.Kind]
	if !holds {
		return nil
	}
	p := probes.Get().(*probe) //nolint:forcetypeassert // nothing else is in there
	p.object.Metadata.Namespace, p.object.Metadata.Name = ref.Namespace, ref.Name
	item, found := s.items.Get(&p.item)
	probes.Put(p)
	if !found {
		return nil
	}
	return item
}

// Len is how many objects of a kind there are.
func (r *Reader) Len(kind candor.KindName) int {
	if s, holds := r.kinds[kind]; holds {
		return s.items.Len()
	}
	return 0
}

// List yields the objects of a kind in a namespace; an empty one means all.
func (r *Reader) List(kind candor.KindName, namespace string) iter.Seq[*Item] {
	return func(yield func(*Item) bool) {
		s, holds := r.kinds[kind]
		if !holds {
			return
		}
		s.items.Ascend(named(namespace, ""), func(item *Item) bool {
			if namespace != "" && item.Metadata.Namespace != namespace {
				return false
			}
			return yield(item)
		})
	}
}

// Owned yields the objects, of whatever kind, that name the UID as one of their owners,
// in the order of kind, namespace and name.
func (r *Reader) Owned(uid string) iter.Seq[*Item] { return scan(r.owned, uid) }

// Labelled yields the objects of a kind whose label has the value. The index must have
// been declared: otherwise it panics, for nothing would look like an answer.
func (r *Reader) Labelled(kind candor.KindName, key, value string) iter.Seq[*Item] {
	index, declared := r.items[Label{Kind: kind, Key: key}]
	if !declared {
		panic("informer: no index of " + string(kind) + " by label " + key + " was declared")
	}
	return scan(index, value)
}

func scan(index *btree.BTreeG[entry], by string) iter.Seq[*Item] {
	return func(yield func(*Item) bool) {
		index.Ascend(entry{by: by, item: first}, func(e entry) bool { return e.by == by && yield(e.item) })
	}
}

// first comes before every item.
var first = named("", "")

func named(namespace, name string) *Item {
	return &Item{Object: &candor.Object{Metadata: candor.Metadata{Namespace: namespace, Name: name}}}
}

// probe is what is looked for; trees keep none of it.
type probe struct {
	item   Item
	object candor.Object
}

var probes = sync.Pool{New: func() any {
	p := new(probe)
	p.item.Object = &p.object
	return p
}}

func itemBefore(a, b *Item) bool {
	if order := strings.Compare(a.Metadata.Namespace, b.Metadata.Namespace); order != 0 {
		return order < 0
	}
	return a.Metadata.Name < b.Metadata.Name
}

func entryBefore(a, b entry) bool {
	if order := strings.Compare(a.by, b.by); order != 0 {
		return order < 0
	}
	if order := strings.Compare(string(a.item.kind), string(b.item.kind)); order != 0 {
		return order < 0
	}
	return itemBefore(a.item, b.item)
}
