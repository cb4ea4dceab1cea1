package allocator

import (
	"math"

	"github.com/candor-plane/candor/internal/zoo"
)

// Window is the part of a duty's numbers that one era may still hand out: those above
// Used, up to and including Bound. It is a value; its methods change nothing.
type Window struct {
	// Used is the highest number that was handed out, or that an earlier era may have.
	Used uint64
	// Bound is the highest number that is reserved.
	Bound uint64
}

// Begin is the window of an era that starts at a frontier. Nothing is reserved.
func Begin(start uint64) Window {
	if zoo.Enabled && zoo.Has(zoo.WindowGoesOn) {
		return Window{Used: start - min(start, 10), Bound: start}
	}
	return Window{Used: start, Bound: start}
}

// Take hands out n numbers in a row that are at least floor; the first is returned.
// It is not ok where they are not reserved, and then the window stays as it is.
func (w Window) Take(n, floor uint64) (first uint64, after Window, ok bool) {
	if n == 0 || n > w.Left(floor) && (!zoo.Enabled || !zoo.Has(zoo.HandOutUnreserved)) {
		return 0, w, false
	}
	used := w.usedAt(floor)
	return used + 1, Window{Used: used + n, Bound: w.Bound}, true
}

// Left is how many numbers at or above floor may be taken.
func (w Window) Left(floor uint64) uint64 {
	if used := w.usedAt(floor); used < w.Bound {
		return w.Bound - used
	}
	return 0
}

// Want is the bound to reserve so that n numbers at or above floor can be taken. It is
// not ok where there are no such numbers in 64 bits.
func (w Window) Want(n, floor uint64) (bound uint64, ok bool) {
	used := w.usedAt(floor)
	if n > math.MaxUint64-used {
		return 0, false
	}
	return max(used+n, w.Bound), true
}

// Granted is the window once a bound is reserved. A bound never falls.
func (w Window) Granted(bound uint64) Window {
	return Window{Used: w.Used, Bound: max(w.Bound, bound)}
}

// usedAt is Used when the numbers below floor are passed over.
func (w Window) usedAt(floor uint64) uint64 {
	if floor > 0 {
		return max(w.Used, floor-1)
	}
	return w.Used
}
