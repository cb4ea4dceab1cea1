package informer

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tidwall/btree"

	"github.com/candor-plane/candor"
)

// degree of the trees: small nodes, for each batch copies those that it changes.
const degree = 16

// Store holds the newest state of its kinds. All its methods may be called
// concurrently; those that change it take turns.
type Store struct {
	current atomic.Pointer[Reader]

	mu       sync.Mutex
	kinds    map[candor.KindName]shelf
	owned    *btree.BTreeG[entry]
	labels   map[Label]*btree.BTreeG[entry]
	handlers []*subscription
	// newest is the object of each kind that was made last: others like it often follow.
	newest map[candor.KindName]*Item
	// moved is closed by the next step, where somebody waits for it.
	moved chan struct{}
}

type subscription struct{ handle Handler }

// New makes an empty store of kinds with the given indexes; each kind is to be filled by
// a Replace. It panics without a kind, for one that is given twice, and for an index of
// a kind that it is not of.
func New(kinds []candor.KindName, labels ...Label) *Store {
	if len(kinds) == 0 {
		panic("informer: a store is of at least one kind")
	}
	s := &Store{
		kinds: map[candor.KindName]shelf{}, labels: map[Label]*btree.BTreeG[entry]{}, owned: tree(entryBefore), newest: map[candor.KindName]*Item{},
	}
	for _, kind := range kinds {
		if _, twice := s.kinds[kind]; twice {
			panic("informer: kind " + string(kind) + " is given twice")
		}
		s.kinds[kind] = shelf{items: tree(itemBefore)}
	}
	for _, label := range labels {
		if _, holds := s.kinds[label.Kind]; !holds {
			panic("informer: an index of " + string(label.Kind) + ", which the store does not hold")
		}
		s.labels[label] = tree(entryBefore)
	}
	s.publish()
	return s
}

func tree[T any](before func(a, b T) bool) *btree.BTreeG[T] {
	return btree.NewBTreeGOptions(before, btree.Options{Degree: degree, NoLocks: true})
}

// Read is the store as it is now.
func (s *Store) Read() *Reader { return s.current.Load() }

// Kinds are those that it was made for, in order.
func (s *Store) Kinds() []candor.KindName { return slices.Sorted(maps.Keys(s.Read().kinds)) }

// Apply takes what one or more whole revisions made, in order, and the position after
// them, which every kind reaches. Nothing is taken where the error is INVALID (a kind
// that it does not hold, or that was not filled yet) or INVARIANT_VIOLATED (a position
// before the one that a kind has).
func (s *Store) Apply(token candor.Token, versions []Version) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.step(token, slices.Collect(maps.Keys(s.kinds)), versions)
}

// ApplyKind is Apply from a stream of one kind: only that kind moves.
func (s *Store) ApplyKind(kind candor.KindName, token candor.Token, versions []Version) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range versions {
		if versions[i].Kind != kind {
			return candor.Errorf(candor.ReasonInvalid, "informer: a version of %s in the stream of %s", versions[i].Kind, kind)
		}
	}
	return s.step(token, []candor.KindName{kind}, versions)
}

func (s *Store) step(token candor.Token, moving []candor.KindName, versions []Version) error {
	for _, kind := range moving {
		if err := s.mayMove(kind, token); err != nil {
			return err
		}
		if !s.kinds[kind].synced {
			return candor.Errorf(candor.ReasonInvalid, "informer: %s were not filled yet: Replace comes first", kind)
		}
	}
	for i := range versions {
		if _, holds := s.kinds[versions[i].Kind]; !holds || versions[i].Object == nil {
			return candor.Errorf(candor.ReasonInvalid, "informer: version %d is of %q: want an object of a kind that the store holds", i, versions[i].Kind)
		}
	}
	changes := make([]Change, 0, len(versions))
	for i := range versions {
		if change, changed := s.put(&versions[i]); changed {
			changes = append(changes, change)
		}
	}
	for _, kind := range moving {
		s.move(kind, token)
	}
	s.tell(changes)
	return nil
}

// Replace takes a list of all objects of a kind, and works out what changed. Its errors
// are those of Apply.
func (s *Store) Replace(kind candor.KindName, token candor.Token, objects []*candor.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mayMove(kind, token); err != nil {
		return err
	}
	listed := make(map[candor.Ref]bool, len(objects))
	var changes []Change
	for _, o := range objects {
		v := Version{Kind: kind, Object: o}
		listed[candor.Ref{Kind: kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}] = true
		if change, changed := s.put(&v); changed {
			changes = append(changes, change)
		}
	}
	var gone []*Item
	s.kinds[kind].items.Scan(func(item *Item) bool {
		if !listed[item.Ref()] {
			gone = append(gone, item)
		}
		return true
	})
	for _, item := range gone {
		change, _ := s.put(&Version{Kind: kind, Object: item.Object, Gone: true, Revision: token.Revision})
		changes = append(changes, change)
	}
	shelf := s.kinds[kind]
	shelf.synced = true
	s.kinds[kind] = shelf
	s.move(kind, token)
	slices.SortStableFunc(changes, func(a, b Change) int { return compareRevisions(a.Revision, b.Revision) })
	s.tell(changes)
	return nil
}

func compareRevisions(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

func (s *Store) mayMove(kind candor.KindName, token candor.Token) error {
	shelf, holds := s.kinds[kind]
	if !holds {
		return candor.Errorf(candor.ReasonInvalid, "informer: the store does not hold %s", kind)
	}
	if token.Revision < shelf.token.Revision {
		return candor.Errorf(candor.ReasonInvariantViolated, "informer: %s are at %s and would go back to %s", kind, shelf.token, token)
	}
	return nil
}

func (s *Store) move(kind candor.KindName, token candor.Token) {
	shelf := s.kinds[kind]
	shelf.token = token
	s.kinds[kind] = shelf
}

// put carries out one version; changed is false where the store has it already.
func (s *Store) put(v *Version) (change Change, changed bool) {
	items := s.kinds[v.Kind].items
	m := &v.Object.Metadata
	change.Ref = candor.Ref{Kind: v.Kind, Namespace: m.Namespace, Name: m.Name}
	change.Revision = v.Revision
	if change.Revision == 0 {
		change.Revision = m.ResourceVersion
	}
	if v.Gone {
		before, was := items.Delete(named(m.Namespace, m.Name))
		if !was {
			return change, false
		}
		s.index(before, nil)
		change.Before = before
		return change, true
	}
	item := NewItem(v.Kind, v.Object)
	before, was := items.Get(item)
	if was {
		if before.Metadata.ResourceVersion == m.ResourceVersion && before.Metadata.UID == m.UID {
			return change, false
		}
		item.inherit(before)
		change.Before = before
	} else {
		item.share(s.newest[v.Kind])
		s.newest[v.Kind] = item
	}
	items.Set(item)
	s.index(change.Before, item)
	change.After = item
	return change, true
}

// publish makes what was put what is read.
func (s *Store) publish() *Reader {
	r := &Reader{
		kinds: make(map[candor.KindName]shelf, len(s.kinds)), owned: s.owned.Copy(),
		items: make(map[Label]*btree.BTreeG[entry], len(s.labels)),
	}
	least := true
	for kind, shelf := range s.kinds {
		if least || shelf.token.Revision < r.token.Revision {
			r.token, least = shelf.token, false
		}
		shelf.items = shelf.items.Copy()
		r.kinds[kind] = shelf
	}
	for label, index := range s.labels {
		r.items[label] = index.Copy()
	}
	s.current.Store(r)
	return r
}

func (s *Store) tell(changes []Change) {
	r := s.publish()
	for _, h := range s.handlers {
		h.handle(Batch{Reader: r, Changes: changes})
	}
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}

// Subscribe has handle told of every step after the Reader that it returns, until the
// returned function is called; once that has returned, handle is not called any more.
func (s *Store) Subscribe(handle Handler) (now *Reader, cancel func()) {
	if handle == nil {
		panic("informer: a subscription needs a handler")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := &subscription{handle: handle}
	s.handlers = append(s.handlers, mine)
	return s.Read(), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handlers = slices.DeleteFunc(slices.Clone(s.handlers), func(other *subscription) bool { return other == mine })
	}
}

// WaitFor returns once the kinds, or without any all of them, were filled and have
// reached a revision. It ends with ctx, with ROOT_TOKEN_NOT_REACHED.
func (s *Store) WaitFor(ctx context.Context, revision uint64, kinds ...candor.KindName) error {
	for {
		r := s.Read()
		if r.reached(revision, kinds) {
			return nil
		}
		select {
		case <-s.after(r):
		case <-ctx.Done():
			return &candor.Error{
				Reason: candor.ReasonRootTokenNotReached, Revision: r.token.Revision, Err: ctx.Err(),
				Message: "the copy of the objects has not reached the revision that is needed in time",
			}
		}
	}
}

// after is closed once the store has moved on from r.
func (s *Store) after(r *Reader) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Read() != r {
		moved := make(chan struct{})
		close(moved)
		return moved
	}
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	return s.moved
}

func (r *Reader) reached(revision uint64, kinds []candor.KindName) bool {
	if len(kinds) == 0 {
		return r.Synced() && r.token.Revision >= revision
	}
	for _, kind := range kinds {
		if s := r.kinds[kind]; !s.synced || s.token.Revision < revision {
			return false
		}
	}
	return true
}
