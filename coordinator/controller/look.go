package controller

import (
	"slices"
	"time"

	"github.com/candor-plane/candor"
)

// Look is one reconcile of a key, as it is remembered.
type Look struct {
	// Token is the state that was looked at.
	Token   candor.Token `json:"token"`
	Outcome Outcome      `json:"outcome"`
	// Reason is the reconciler's, or its error.
	Reason string `json:"reason,omitempty"`
	// Writes it made, and the newest revision that they did; none: there was nothing to
	// do.
	Writes   int       `json:"writes"`
	Revision uint64    `json:"revision,omitempty"`
	At       time.Time `json:"at"`
}

// looksKept of a key, and of how many keys of a controller: those first looked at go
// first.
const (
	looksKept = 4
	keysKept  = 1 << 16
)

type looks struct {
	keys  map[candor.Ref][]Look
	order []candor.Ref // as they came
}

func (l *looks) add(ref candor.Ref, look Look) {
	if l.keys == nil {
		l.keys = map[candor.Ref][]Look{}
	}
	known, was := l.keys[ref]
	if !was {
		if len(l.order) == keysKept {
			delete(l.keys, l.order[0])
			l.order = l.order[1:]
		}
		l.order = append(l.order, ref)
	}
	if len(known) == looksKept {
		copy(known, known[1:])
		known[looksKept-1] = look
		return
	}
	l.keys[ref] = append(known, look)
}

// Looks are the last reconciles of a key by a controller, oldest first; none that is
// known is empty, for many keys are forgotten in time.
func (r *Runtime) Looks(controller string, ref candor.Ref) []Look {
	w := r.controller(controller)
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.looks.keys[ref])
}
