package mvcc_test

import (
	"testing"

	"github.com/candor-plane/candor/fsm/mvcc"
)

// chunk is how many revisions the index forgets at once, at most.
const chunk = 1 << 12

func TestTheIndexForgetsNothingAboveARevision(t *testing.T) {
	const last = 3*chunk + 17
	fill := func() (mvcc.History, []*mvcc.Version) {
		h, made := mvcc.NewHistory(0), make([]*mvcc.Version, last+1)
		for r := uint64(1); r <= last; r++ {
			made[r] = &mvcc.Version{Revision: r}
			h.Put(r, made[r])
		}
		return h, made
	}
	for _, upto := range []uint64{0, 1, chunk - 1, chunk, chunk + 1, 2*chunk + 5, last - 1, last, last + chunk} {
		h, made := fill()
		before := h
		h.Forget(upto)
		for r := uint64(1); r <= last; r++ {
			if got := h.At(r); got != made[r] && (r > upto || got != nil) {
				t.Fatalf("forgotten up to %d: revision %d is %v", upto, r, got)
			}
			if before.At(r) != made[r] {
				t.Fatalf("forgetting up to %d changed what was published at %d", upto, r)
			}
		}
		if h.At(0) != nil || h.At(last+1) != nil || h.Head() != last {
			t.Fatalf("forgotten up to %d: the index has another head: %d", upto, h.Head())
		}
		if upto >= 2*chunk && h.At(1) != nil {
			t.Fatalf("forgotten up to %d: revision 1 is still there", upto)
		}
		h.Put(last+1, made[1])
		if h.At(last+1) != made[1] {
			t.Fatalf("forgotten up to %d: the next turn is not indexed", upto)
		}
	}
}

// TestAnIndexBeginsAnywhere: a restored state begins at a high revision and is
// filled in any order.
func TestAnIndexBeginsAnywhere(t *testing.T) {
	for _, base := range []uint64{0, 1, chunk - 1, chunk, 5*chunk + 9, 1e12} {
		h := mvcc.NewHistory(base)
		a, b := &mvcc.Version{Revision: base + 1}, &mvcc.Version{Revision: base + 2*chunk}
		h.Put(b.Revision, b)
		h.Put(a.Revision, a)
		if h.At(a.Revision) != a || h.At(b.Revision) != b || h.At(base) != nil || h.Head() != b.Revision {
			t.Errorf("from %d: %v and %v, head %d", base, h.At(a.Revision), h.At(b.Revision), h.Head())
		}
		h.Advance(base + 1)
		if h.At(a.Revision) != a {
			t.Errorf("from %d: going back to an indexed revision lost its turn", base)
		}
		h.Advance(b.Revision + 3)
		if h.Head() != b.Revision+3 || h.At(b.Revision+2) != nil {
			t.Errorf("from %d: head %d after turns without a version", base, h.Head())
		}
	}
}
