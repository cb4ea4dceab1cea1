package fsm

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor/fsm/command"
)

// A snapshot goes by key and a turn by operation: whatever the two orders are,
// and whatever other turns made of the same keys, a restored turn has its
// versions in the order that it made them.
func TestARestoredTurnKeepsTheOrderOfItsVersions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRoot(t)
		names := make([]string, 12)
		for i := range names {
			names[i] = fmt.Sprintf("w%02d", i)
		}
		for turn := range rapid.IntRange(1, 4).Draw(rt, "turns") {
			order := rapid.Permutation(names).Draw(rt, "order")
			var ops []command.Operation
			for _, name := range order[:rapid.IntRange(1, len(order)).Draw(rt, "n")] {
				op := create("default", name, fmt.Sprintf(`{"n":%d}`, turn))
				if o := r.get(widget("default", name)); o != nil {
					op.Verb, op.Object.Metadata.UID = command.VerbUpdate, o.Metadata.UID
				}
				ops = append(ops, op)
			}
			r.mustWrite(ops...)
		}
		blocks, err := ReadBlocks(bytes.NewReader(snapshotOf(t, r.m)))
		if err != nil {
			rt.Fatal(err)
		}
		defer blocks.Close()
		m := New(Config{ClusterID: "c1"})
		if err := m.RestoreBlocks(blocks); err != nil {
			rt.Fatal(err)
		}
		wantSame(t, "restored from blocks", r.m, m)
	})
}
