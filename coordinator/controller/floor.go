package controller

import (
	"context"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

// floor is a revision that a kind must have reached before a key is looked at again; no
// kind means all of them.
type floor struct {
	kind     candor.KindName
	revision uint64
}

func (f floor) reached(view *informer.Reader) bool {
	if f.kind == "" {
		return view.Token().Revision >= f.revision
	}
	return view.Position(f.kind).Revision >= f.revision
}

// floors are those of the keys of one controller. It is kept small: what was reached is
// dropped whenever it has doubled.
type floors struct {
	keys map[candor.Ref][]floor
	full int
}

const fewFloors = 1024

func (f *floors) raise(ref candor.Ref, to floor, view *informer.Reader) {
	if f.keys == nil {
		f.keys, f.full = map[candor.Ref][]floor{}, fewFloors
	}
	mine := f.keys[ref]
	for i := range mine {
		if mine[i].kind == to.kind {
			mine[i].revision = max(mine[i].revision, to.revision)
			return
		}
	}
	f.keys[ref] = append(mine, to)
	if len(f.keys) < f.full {
		return
	}
	for ref := range f.keys {
		f.drop(ref, view)
	}
	f.full = max(fewFloors, 2*len(f.keys))
}

// drop takes away what a key need not wait for.
func (f *floors) drop(ref candor.Ref, view *informer.Reader) {
	left := slices.DeleteFunc(f.keys[ref], func(x floor) bool { return x.reached(view) })
	if len(left) == 0 {
		delete(f.keys, ref)
		return
	}
	f.keys[ref] = left
}

// require has the key looked at only where the kinds, or without any all, have reached a
// revision.
func (w *worker) require(ref candor.Ref, revision uint64, kinds []candor.KindName) {
	if revision == 0 {
		return
	}
	if len(kinds) == 0 {
		kinds = []candor.KindName{""}
	}
	view := w.runtime.store.Read()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, kind := range kinds {
		w.floors.raise(ref, floor{kind: kind, revision: revision}, view)
	}
}

// reach waits until the store shows what must be seen of the key.
func (w *worker) reach(ctx context.Context, r *Request) error {
	w.mu.Lock()
	mine := slices.Clone(w.floors.keys[r.Ref])
	w.mu.Unlock()
	if len(mine) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, w.runtime.settle)
	defer cancel()
	for _, f := range mine {
		var kinds []candor.KindName
		if f.kind != "" {
			kinds = []candor.KindName{f.kind}
		}
		if err := w.runtime.store.WaitFor(ctx, f.revision, kinds...); err != nil {
			return err
		}
		r.MinRevision = max(r.MinRevision, f.revision)
	}
	view := w.runtime.store.Read()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floors.drop(r.Ref, view)
	return nil
}
