package controller

import (
	"slices"
	"time"

	"github.com/candor-plane/candor"
)

// Blockade is a key that cannot go on before another object changes.
type Blockade struct {
	Ref    candor.Ref `json:"ref"`
	On     candor.Ref `json:"on"`
	Reason string     `json:"reason"`
	Since  time.Time  `json:"since"`
	// Causes are those of the request that came to it.
	Causes []Cause `json:"causes,omitempty"`
}

// blockades are those of one controller, by key, and the keys by what they wait for.
type blockades struct {
	keys map[candor.Ref]Blockade
	on   map[candor.Ref]map[candor.Ref]bool
	// since is when a key that is being looked at again was first blocked so.
	since map[candor.Ref]Blockade
}

func (w *worker) block(q *Queue, r *Request, result Result) {
	b := Blockade{Ref: r.Ref, On: result.On, Reason: result.Reason, Since: time.Now(), Causes: r.Causes}
	w.mu.Lock()
	if before, was := w.blocked.since[r.Ref]; was && before.On == b.On && before.Reason == b.Reason {
		b.Since = before.Since
	}
	delete(w.blocked.since, r.Ref)
	w.blocked.keys[r.Ref] = b
	if w.blocked.on[b.On] == nil {
		w.blocked.on[b.On] = map[candor.Ref]bool{}
	}
	w.blocked.on[b.On][r.Ref] = true
	w.mu.Unlock()
	// What changed while it was looked at found no blockade.
	if now := w.runtime.store.Read(); now.Get(b.On) != r.View.Get(b.On) {
		because := candor.VersionRef{Ref: b.On, Revision: now.Position(b.On.Kind).Revision}
		q.Add(r.Ref, Normal, Cause{Reason: CauseUnblocked, Because: because}, 0)
	}
}

// unblock takes a key's blockade away, for it is looked at again.
func (w *worker) unblock(ref candor.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, was := w.blocked.keys[ref]
	if !was {
		return
	}
	delete(w.blocked.keys, ref)
	delete(w.blocked.on[b.On], ref)
	if len(w.blocked.on[b.On]) == 0 {
		delete(w.blocked.on, b.On)
	}
	if w.blocked.since == nil {
		w.blocked.since = map[candor.Ref]Blockade{}
	}
	w.blocked.since[ref] = b
}

// waitingFor are the keys that are blocked on an object.
func (w *worker) waitingFor(on candor.Ref) []candor.Ref {
	w.mu.Lock()
	defer w.mu.Unlock()
	keys := make([]candor.Ref, 0, len(w.blocked.on[on]))
	for ref := range w.blocked.on[on] {
		keys = append(keys, ref)
	}
	slices.SortFunc(keys, compareRefs)
	return keys
}
