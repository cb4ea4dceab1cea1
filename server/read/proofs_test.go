package read

import (
	"math/rand/v2"
	"testing"
	"time"
)

func proof(milliseconds int, index uint64) Proof {
	return Proof{Began: at(milliseconds), Index: index}
}

func at(milliseconds int) time.Duration {
	return time.Duration(milliseconds) * time.Millisecond
}

func TestTheNewestAppliedProofGivesTheBoundAndTheNewestTheLag(t *testing.T) {
	var p proofs
	if _, _, held, some := p.look(100); held || some {
		t.Error("a ring that heard nothing holds a proof")
	}
	for i := range 10 {
		p.add(proof(i+1, 10*uint64(i+1)), 0)
	}
	for _, row := range []struct {
		applied uint64
		held    bool
		index   uint64
	}{{0, false, 0}, {9, false, 0}, {10, true, 10}, {19, true, 10}, {55, true, 50}, {100, true, 100}, {1000, true, 100}} {
		held, newest, holds, some := p.look(row.applied)
		if holds != row.held || held.Index != row.index || !some || newest.Index != 100 {
			t.Errorf("applied %d: holds %d (%t), newest %d (%t)", row.applied, held.Index, holds, newest.Index, some)
		}
	}
	// A proof that says nothing new changes nothing.
	p.add(proof(10, 7), 0)
	if began, _ := p.newest(); began != 10*time.Millisecond || len(p.ring) != 10 {
		t.Errorf("newest began at %s, of %d", began, len(p.ring))
	}
}

// TestAProofThatArrivesLateIsKeptInItsPlace: two readers' proofs may overtake
// one another on their way into the ring.
func TestAProofThatArrivesLateIsKeptInItsPlace(t *testing.T) {
	var p proofs
	p.add(proof(1, 10), 0)
	p.add(proof(3, 30), 0)
	p.add(proof(2, 20), 0)
	if held, newest, _, _ := p.look(25); held.Index != 20 || newest.Index != 30 {
		t.Errorf("a view at 25 holds the proof of %d; the newest is of %d", held.Index, newest.Index)
	}
}

// TestThinningNeverLosesTheNewestAppliedProof, however far the view is behind
// and in whatever steps it follows.
func TestThinningNeverLosesTheNewestAppliedProof(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var p proofs
		root, applied, best := uint64(1), uint64(0), Proof{}
		have := false
		for now := 1; now < 3000; now++ {
			root += rng.Uint64N(20)
			if rng.IntN(3) == 0 && applied < root {
				applied += rng.Uint64N(root-applied) / (1 + seed%40)
			}
			if held, _, ok, _ := p.look(applied); ok && (!have || held.Began > best.Began) {
				best, have = held, true
			}
			p.add(proof(now, root), applied)
			held, newest, ok, _ := p.look(applied)
			switch {
			case have && (!ok || held.Began < best.Began):
				t.Fatalf("seed %d: at %d the bound went back from %s to %s", seed, now, best.Began, held.Began)
			case newest.Began != at(now) || newest.Index != root:
				t.Fatalf("seed %d: the newest proof is of %s, not of %s", seed, newest.Began, at(now))
			case len(p.ring) > proofsKept:
				t.Fatalf("seed %d: %d proofs are kept", seed, len(p.ring))
			}
		}
		if !have {
			t.Errorf("seed %d: nothing was ever proven", seed)
		}
		// Once the view has caught up there is nothing else to keep.
		p.add(proof(3001, root), root)
		p.add(proof(3002, root), root)
		if held, _, _, _ := p.look(root); held.Began != 3002*time.Millisecond || len(p.ring) > 2 {
			t.Errorf("seed %d: caught up, it holds %s among %d", seed, held.Began, len(p.ring))
		}
	}
}

func TestTheFirstProofIsRemembered(t *testing.T) {
	var p proofs
	if p.passedFirst(1 << 40) {
		t.Error("passed a first proof that there is not")
	}
	p.add(proof(1, 10), 0)
	for i := range 100 {
		p.add(proof(i+2, 1000+uint64(i)), 500)
	}
	if p.passedFirst(9) || !p.passedFirst(10) {
		t.Error("the first proof was of index 10")
	}
}
