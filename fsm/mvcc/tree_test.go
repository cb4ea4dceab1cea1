package mvcc_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/candor-plane/candor/fsm/mvcc"
)

// Readers of a published value take no lock, while the writer makes turns and
// prunes: the race detector and the readers agree that nothing moves.
func TestReadersOfAPublishedValueNeedNoLock(t *testing.T) {
	s := newStore(0)
	keyed := func(i int) string { return fmt.Sprintf("a/k%03d", i%200) }
	for i := range 400 {
		s.turn([]string{keyed(i)}, func(string) bool { return false })
	}
	type view struct {
		tree    mvcc.Tree
		history mvcc.History
		head    uint64
	}
	var current atomic.Pointer[view]
	publish := func() { current.Store(&view{s.tree.Copy(), s.history, s.head}) }
	publish()
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				v := current.Load()
				n := 0
				v.tree.ScanAt("a/", "", v.head, func(x *mvcc.Version) bool {
					n++
					return x.Revision <= v.head
				})
				if n != 200 {
					t.Errorf("a reader at %d sees %d objects", v.head, n)
					return
				}
				if x := v.history.At(v.head); x == nil || v.tree.At(x.Key, v.head) != x || v.history.At(v.head+1) != nil {
					t.Errorf("a reader at %d sees another turn: %+v", v.head, x)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range 5000 {
		s.turn([]string{keyed(i), keyed(i + 7)}, func(string) bool { return false })
		if i%3 == 0 {
			publish()
		}
		if i%50 == 0 {
			s.prune(s.head - 20)
		}
	}
	close(stop)
	readers.Wait()
}

func TestACopyAndItsOriginalGoTheirOwnWays(t *testing.T) {
	original := mvcc.NewTree()
	for i := range 100 {
		original.Append(&mvcc.Version{Key: fmt.Sprintf("a/%03d", i), Revision: 1})
	}
	duplicate := original.Copy()
	original.Delete(original.Head("a/050"))
	duplicate.Set(&mvcc.Version{Key: "a/050", Revision: 2})
	duplicate.Set(&mvcc.Version{Key: "b/000", Revision: 2})
	if original.Head("a/050") != nil || original.Head("b/000") != nil || original.Len() != 99 {
		t.Errorf("the original has %d keys", original.Len())
	}
	if x := duplicate.Head("a/050"); x == nil || x.Revision != 2 || duplicate.Len() != 101 {
		t.Errorf("the copy has %d keys, and %+v", duplicate.Len(), x)
	}
}

// TestAScanStopsAndGoesOnWhereItIsTold: a page ends anywhere, and the next
// begins behind it, though the key may be gone by then.
func TestAScanStopsAndGoesOnWhereItIsTold(t *testing.T) {
	tree := mvcc.NewTree()
	// The namespaces' keys are neighbours: '-' sorts before '/', '0' after.
	keys := []string{"a-b/x", "a/x", "a/x-y", "a/x.y", "a/xy", "a0/x", "b/x"}
	for i, key := range keys {
		tree.Set(&mvcc.Version{Key: key, Revision: uint64(i + 1), Deleted: key == "a/x.y"})
	}
	scan := func(prefix, after string, revision uint64, limit int) (got []string) {
		tree.ScanAt(prefix, after, revision, func(v *mvcc.Version) bool {
			got = append(got, v.Key)
			return len(got) < limit
		})
		return got
	}
	for _, c := range []struct {
		prefix, after string
		revision      uint64
		limit         int
		want          []string
	}{
		{"", "", 9, 9, []string{"a-b/x", "a/x", "a/x-y", "a/xy", "a0/x", "b/x"}},
		{"a/", "", 9, 9, []string{"a/x", "a/x-y", "a/xy"}},
		{"a/", "", 9, 2, []string{"a/x", "a/x-y"}},
		{"a/", "a/x-y", 9, 9, []string{"a/xy"}},
		{"a/", "a/x-", 9, 9, []string{"a/x-y", "a/xy"}},
		{"a/", "a/xy", 9, 9, nil},
		{"a/", "a-b/x", 9, 9, []string{"a/x", "a/x-y", "a/xy"}},
		{"a/", "b/x", 9, 9, nil},
		{"a/", "", 2, 9, []string{"a/x"}},
		{"zz/", "", 9, 9, nil},
	} {
		if got := scan(c.prefix, c.after, c.revision, c.limit); !slices.Equal(got, c.want) {
			t.Errorf("%d of %q after %q at %d: %v, want %v", c.limit, c.prefix, c.after, c.revision, got, c.want)
		}
	}
}
