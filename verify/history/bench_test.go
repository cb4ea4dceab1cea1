package history_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/candor-plane/candor/verify/history"
)

// million is a correct history of a million operations on a thousand keys.
var million = sync.OnceValue(func() []history.Operation {
	m := newModel(1, 1000)
	m.lists = false
	return m.run(20, 1_000_000)
})

func BenchmarkCheckAMillionOperations(b *testing.B) {
	all := million()
	b.Run("take and index", func(b *testing.B) {
		for b.Loop() {
			h, err := history.New(all)
			if err != nil {
				b.Fatal(err)
			}
			history.Check(h, history.Turns{})
		}
	})
	h, err := history.New(all)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range history.Standard(1) {
		b.Run(c.Check(h).Property, func(b *testing.B) {
			for b.Loop() {
				if r := c.Check(h); r.Verdict != history.Pass {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}

func BenchmarkFileOfAMillionOperations(b *testing.B) {
	h, err := history.New(million())
	if err != nil {
		b.Fatal(err)
	}
	var file bytes.Buffer
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			file.Reset()
			if err := history.Write(&file, h, ""); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(file.Len())/float64(h.Len()), "B/operation")
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := history.Read(bytes.NewReader(file.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprint(callers, " callers"), func(b *testing.B) {
			r := history.NewRecorder()
			b.SetParallelism(callers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r.Begin(history.Operation{Client: "c", Kind: history.KindGet, Items: []history.Item{{Key: "a"}}}).Answered(history.Answer{Witness: at(2)})
				}
			})
		})
	}
}
