package informer_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

const many = 50_000

func fleet() []*candor.Object {
	objects := make([]*candor.Object, many)
	for i := range objects {
		objects[i] = one(i, 5)
	}
	return objects
}

func one(i int, revision uint64) *candor.Object {
	spec := `{"command":["/bin/web","--port","8080"],"resources":{"cpu":"500m","memory":"256Mi"}}`
	o := instance("web-"+strconv.Itoa(i), revision, spec, `{"phase":"Placed","node":"n","nodeUID":"u"}`, "")
	return placed(o, fmt.Sprintf("node-%d", i%1000), fmt.Sprintf("workload-%d", i%500))
}

// BenchmarkApply is one batch of changes to a store of 50,000 objects with two indexes.
func BenchmarkApply(b *testing.B) {
	for _, batch := range []int{1, 256} {
		b.Run(strconv.Itoa(batch), func(b *testing.B) {
			s := filled(b, fleet()...)
			revision := uint64(10)
			versions := make([]informer.Version, batch)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				revision++
				b.StopTimer()
				for k := range versions {
					versions[k] = version(one((i*batch+k)*7919%many, revision))
				}
				b.StartTimer()
				if err := s.Apply(at(revision), versions); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/object")
		})
	}
}

// BenchmarkGet and BenchmarkList read a store of 50,000 objects.
func BenchmarkGet(b *testing.B) {
	r := filled(b, fleet()...).Read()
	ref := candor.Ref{Kind: candor.KindInstances, Namespace: "shop", Name: "web-31415"}
	b.ReportAllocs()
	for b.Loop() {
		if r.Get(ref) == nil {
			b.Fatal("it is not there")
		}
	}
}

func BenchmarkList(b *testing.B) {
	r := filled(b, fleet()...).Read()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range r.List(candor.KindInstances, "") {
			n++
		}
		if n != many {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*many), "ns/object")
}

// BenchmarkMemory is what the store itself takes for each object, and each with its
// spec and status decoded, the object left out.
func BenchmarkMemory(b *testing.B) {
	objects := fleet()
	for b.Loop() {
		before := heap()
		s := filled(b, objects...)
		bare := heap()
		for item := range s.Read().List(candor.KindInstances, "") {
			_, _ = informer.Spec[candor.InstanceSpec](item)
			_, _ = informer.Status[candor.InstanceStatus](item)
		}
		decoded := heap()
		b.ReportMetric(float64(bare-before)/many, "B/object")
		b.ReportMetric(float64(decoded-before)/many, "B/decoded")
		runtime.KeepAlive(s)
	}
	runtime.KeepAlive(objects)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
