package allocator_test

import (
	"math"
	"testing"

	"github.com/candor-plane/candor/coordinator/allocator"
)

func TestAWindowHandsOutWhatIsReservedAndNothingElse(t *testing.T) {
	w := allocator.Begin(10)
	if _, _, ok := w.Take(1, 0); ok || w.Left(0) != 0 {
		t.Error("a number left without a reservation")
	}
	if bound, ok := w.Want(5, 0); !ok || bound != 15 {
		t.Errorf("wants %d", bound)
	}
	w = w.Granted(15)
	first, w, ok := w.Take(2, 0)
	if !ok || first != 11 {
		t.Errorf("the first is %d, %t", first, ok)
	}
	if _, after, ok := w.Take(4, 0); ok || after != w {
		t.Error("more were taken than are reserved")
	}
	first, w, ok = w.Take(1, 14)
	if !ok || first != 14 || w.Left(0) != 1 {
		t.Errorf("from a floor: %d, %t, %+v", first, ok, w)
	}
	if w.Granted(3) != w {
		t.Error("a bound fell")
	}
	if _, _, ok := w.Take(0, 0); ok {
		t.Error("nothing was taken")
	}
	full := allocator.Window{Used: math.MaxUint64 - 1, Bound: math.MaxUint64}
	if _, ok := full.Want(2, 0); ok {
		t.Error("numbers beyond 64 bits")
	}
	if first, _, ok := full.Take(1, 0); !ok || first != math.MaxUint64 {
		t.Errorf("the last number is %d, %t", first, ok)
	}
}

// FuzzWindow: whatever is asked, numbers rise, are at least the floor and at most what
// was granted, and a take that is refused changes nothing.
func FuzzWindow(f *testing.F) {
	f.Add(uint64(10), []byte{0, 5, 1, 3, 2, 9, 1, 255})
	f.Add(uint64(math.MaxUint64-3), []byte{0, 2, 1, 3, 0, 255, 1, 2, 1, 2})
	f.Fuzz(func(t *testing.T, start uint64, moves []byte) {
		w := allocator.Begin(start)
		granted, highest, floor := start, start, uint64(0)
		for i := 0; i+1 < len(moves); i += 2 {
			n := uint64(moves[i+1])
			switch moves[i] % 3 {
			case 0:
				if bound, ok := w.Want(n, floor); ok {
					w, granted = w.Granted(bound), max(granted, bound)
				}
			case 1:
				first, after, ok := w.Take(n, floor)
				if !ok {
					if after != w || n > 0 && n <= w.Left(floor) {
						t.Fatalf("refused %d of %+v from %d: %+v", n, w, floor, after)
					}
					continue
				}
				last := first + n - 1
				if first <= highest || first < floor || last < first || last > granted || after.Used != last {
					t.Fatalf("%d to %d of %+v from %d, granted %d, highest so far %d", first, last, w, floor, granted, highest)
				}
				w, highest = after, last
			case 2:
				floor = highest + n
			}
		}
	})
}
