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

// BenchmarkPlace is a turn of 256 placements on 1,000 nodes, an item at a time.
func BenchmarkPlace(b *testing.B) {
	decision := []byte(`{"id":"d-1-0","token":{"term":1,"index":10,"revision":9},"place":3,"instance":17,"algorithm":1,"verdict":"PLACED","node":"n0001","considered":1000,"reasons":[{"reason":"InsufficientCPU","nodes":412},{"reason":"TaintNotTolerated","nodes":8}],"best":[{"node":"n0001","score":87},{"node":"n0002","score":86},{"node":"n0003","score":86}],"margin":1,"tieBreak":"","digest":"0123456789abcdef"}`)
	var nodes []string
	for i := range 1000 {
		nodes = append(nodes, fmt.Sprintf("n%04d", i))
	}
	r := fleet(b, nodes...)
	var batches []*command.Command
	for at := 0; at < b.N; at += command.MaxPlacements {
		items := make([]command.Placement, 0, command.MaxPlacements)
		var ops []command.Operation
		for i := at; i < at+command.MaxPlacements; i++ {
			op := createInstance(fmt.Sprintf("web-%08d", i), `{"cpu":"1m","memory":"1Mi"}`)
			op.Object.Metadata.Labels = map[string]string{candor.LabelWorkload: "web", "app": "web"}
			ops = append(ops, op)
		}
		r.mustWrite(ops...)
		for i := at; i < at+command.MaxPlacements; i++ {
			p := r.proposal(fmt.Sprintf("web-%08d", i), nodes[i%len(nodes)])
			p.Decision = decision
			items = append(items, p)
		}
		batches = append(batches, r.placement(items...))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, c := range batches {
		if res := r.do(c); res.Reason != "" {
			b.Fatal(res.Message)
		}
	}
	b.StopTimer()
	wantCounted(b, r.m)
}

// BenchmarkBeat is a turn of 1,000 beats, with what publishing them takes.
func BenchmarkBeat(b *testing.B) {
	var nodes []string
	var beats []command.Beat
	for i := range 1000 {
		nodes = append(nodes, fmt.Sprintf("n%04d", i))
		beats = append(beats, beatOf(nodes[i]))
	}
	r := fleet(b, nodes...)
	c := command.Beats(beats...)
	b.ReportAllocs()
	for b.Loop() {
		if res := r.do(c); res.Items[999].Reason != "" {
			b.Fatal(res.Items[999])
		}
	}
}
