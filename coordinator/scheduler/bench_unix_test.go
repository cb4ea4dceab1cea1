//go:build unix

package scheduler

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
)

// processor is the time that the process has had of it: the machine may be shared.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rate reports decisions per second of processor time.
func rate(b *testing.B, decisions int, since time.Duration) {
	spent := processor(b) - since
	b.ReportMetric(float64(decisions)/spent.Seconds(), "decisions/cpu-s")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(decisions), "cpu-ns")
}

// populated has ten placed instances a node, and pending ones of five templates.
func populated(b testing.TB, nodes, pending int) (*Model, []candor.Ref) {
	m := fleet(b, nodes)
	for i := range 10 * nodes {
		mustApply(b, m, candor.KindInstances, instanceObject(instanceSetup{
			name: fmt.Sprintf("p-%d", i), spec: mixed(b, i), node: fmt.Sprintf("n%04d", i%nodes), created: 2,
			labels: map[string]string{candor.LabelWorkload: fmt.Sprintf("w%d", i%5), candor.LabelRevision: "r"},
		}, 3))
	}
	for i := range pending {
		mustApply(b, m, candor.KindInstances, instanceObject(instanceSetup{
			name: fmt.Sprintf("q-%d", i), spec: mixed(b, i), created: 5,
			labels: map[string]string{candor.LabelWorkload: fmt.Sprintf("w%d", i%5), candor.LabelRevision: "r"},
		}, 6))
	}
	return m, m.Pending()
}

func BenchmarkDecide(b *testing.B) {
	for _, nodes := range []int{1000, 5000} {
		m, refs := populated(b, nodes, 50)
		for _, mode := range []Mode{Brief, Explain} {
			b.Run(fmt.Sprintf("nodes=%d/explain=%v", nodes, mode == Explain), func(b *testing.B) {
				b.ReportAllocs()
				since := processor(b)
				for i := 0; b.Loop(); i++ {
					o, err := Decide(m, refs[i%len(refs)], mode)
					if err != nil || o.Decision.Verdict != candor.VerdictPlaced {
						b.Fatal(err, o.Decision.Verdict)
					}
				}
				rate(b, b.N, since)
			})
		}
	}
}

// What a decision keeps for explanation: the record of every node, its digest, the
// counts and the best.
func BenchmarkKept(b *testing.B) {
	m, refs := populated(b, 1000, 50)
	o, _ := Decide(m, refs[0], Brief)
	b.Run("record", func(b *testing.B) {
		since := processor(b)
		var c candidate
		s := &m.survey
		for b.Loop() {
			for i := range m.order {
				copy(s.record[i*recordBytes:][:recordBytes], c.score[:])
				s.slots[i%int(codes)]++
			}
		}
		rate(b, b.N, since)
	})
	b.Run("digest", func(b *testing.B) {
		since := processor(b)
		for b.Loop() {
			xxh3.Hash128(m.survey.record)
		}
		rate(b, b.N, since)
	})
	b.Run("decision", func(b *testing.B) {
		since := processor(b)
		q := &m.question
		out := o
		for b.Loop() {
			m.choose(&m.survey, &out)
			m.survey.reasons(q.class)
		}
		rate(b, b.N, since)
	})
}

func BenchmarkBatch(b *testing.B) {
	for _, nodes := range []int{1000, 5000} {
		m, refs := populated(b, nodes, MaxBatch)
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			b.ReportAllocs()
			since := processor(b)
			for b.Loop() {
				if got := Batch(m, refs); len(got) != MaxBatch {
					b.Fatal(len(got))
				}
			}
			rate(b, b.N*MaxBatch, since)
		})
	}
}

func BenchmarkModel(b *testing.B) {
	for _, nodes := range []int{1000, 5000} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			var before, after runtime.MemStats
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				m, refs := populated(b, nodes, 50)
				for _, ref := range refs {
					if _, err := Decide(m, ref, Brief); err != nil {
						b.Fatal(err)
					}
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(m)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(nodes), "B/node")
		})
	}
}
