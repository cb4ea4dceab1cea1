package fsm

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
)

const benchSpec = `{"image":"registry.example/app:1.2.3","replicas":3,"ports":[80,443],"padding":"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"}`

// benchEntries is n creates of 256-byte specs, 64 to an entry.
func benchEntries(r *root, n int, first int) []Committed {
	var out []Committed
	for i := 0; i < n; {
		e := command.Entry{Term: 1, Time: r.time, Wall: r.time}
		for range 64 {
			if i == n {
				break
			}
			op := create("default", fmt.Sprintf("object-%08d", first+i), benchSpec)
			c := r.writeCommand(op)
			c.RequestID, c.NotAfter, c.Digest = fmt.Sprintf("0b5e1f3a-0000-4000-8000-%012d", first+i), r.time+5e9, 7
			e.Commands = append(e.Commands, command.AppendCommand(nil, c))
			i++
		}
		r.index++
		r.time += 1e7
		out = append(out, Committed{Term: 1, Index: r.index, Data: command.AppendEntry(nil, e)})
	}
	return out
}

func BenchmarkApplyCreate(b *testing.B) {
	r := newRoot(b)
	entries := benchEntries(r, b.N, 0)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range entries {
		r.m.Apply(entries[i : i+1])
	}
}

func BenchmarkInvariants(b *testing.B) {
	r := newRoot(b)
	r.mustWrite(create("default", "a", benchSpec))
	before := r.get(widget("default", "a"))
	after := *before
	after.Spec = []byte(`{}`)
	after.Metadata.Generation++
	after.Metadata.ResourceVersion++
	after.Cause = &candor.Cause{Actor: "ana", PriorRevision: before.Metadata.ResourceVersion}
	t := &invariant.Turn{TokenBefore: r.m.View().Token(), Live: func(candor.Ref) *candor.Object { return nil },
		Changes: []invariant.Change{{Ref: widget("default", "a"), Before: before, After: &after, Allowed: invariant.SectionSpec}}}
	t.TokenAfter = t.TokenBefore
	t.TokenAfter.Index++
	t.TokenAfter.Revision++
	for _, c := range invariant.All() {
		b.Run(c.Name, func(b *testing.B) {
			for range b.N {
				if v := c.Run(t); v != nil {
					b.Fatal(v)
				}
			}
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	r := newRoot(b)
	for _, e := range benchEntries(r, 200_000, 0) {
		r.m.Apply([]Committed{e})
	}
	b.Run("write", func(b *testing.B) {
		for range b.N {
			s := r.m.Snapshot()
			n, err := s.WriteTo(io.Discard)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(n)
			s.Release()
		}
	})
	data := snapshotOf(b, r.m)
	b.Run("restore", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if err := New(Config{ClusterID: "c1"}).Restore(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
