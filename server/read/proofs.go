package read

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// proofsKept bounds the ring: the newest applied proof, and what came after it.
const proofsKept = 32

// proofs is the ring of what was proven. The bound of a view comes from the
// newest proof that it has applied; how far it is behind, from the newest of all.
type proofs struct {
	mu sync.Mutex
	// ring is in the order of Began, oldest first.
	ring []Proof
	// first is the index of the first proof since the start; 0 before it.
	first uint64
}

// add takes a proof, at its place: readers' proofs may overtake one another.
func (p *proofs) add(proof Proof, applied uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first == 0 {
		p.first = proof.Index
	}
	if n := len(p.ring); n > 0 && p.ring[n-1].Began == proof.Began {
		return // those who shared a round have the same
	}
	at, known := slices.BinarySearchFunc(p.ring, proof, func(a, b Proof) int { return cmp.Compare(a.Began, b.Began) })
	if known || at < len(p.ring) && len(p.ring) == proofsKept {
		return
	}
	p.ring = slices.Insert(p.ring, at, proof)
	// Of the applied ones only the newest matters.
	for len(p.ring) > 1 && p.ring[1].Index <= applied {
		p.ring = slices.Delete(p.ring, 0, 1)
	}
	if n := len(p.ring); n > proofsKept {
		// The view is far behind; the oldest ones come true first.
		p.ring = slices.Delete(p.ring, n-2, n-1)
	}
}

// look is the newest proof that a view at an index has applied, and the newest
// of all.
func (p *proofs) look(applied uint64) (held, newest Proof, anyHeld, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.ring)
	if n == 0 {
		return held, newest, false, false
	}
	newest = p.ring[n-1]
	for i := n - 1; i >= 0; i-- {
		if p.ring[i].Index <= applied {
			return p.ring[i], newest, true, true
		}
	}
	return held, newest, false, true
}

// newest is when the newest proof began.
func (p *proofs) newest() (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.ring); n > 0 {
		return p.ring[n-1].Began, true
	}
	return 0, false
}

// passedFirst says whether a view at an index holds the first proof.
func (p *proofs) passedFirst(applied uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first != 0 && applied >= p.first
}
