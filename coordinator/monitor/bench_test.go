package monitor

import (
	"fmt"
	"testing"

	"github.com/candor-plane/candor/informer"
)

// BenchmarkLook is one look at 1,000 nodes and 10,000 placed instances of 100 workloads.
func BenchmarkLook(b *testing.B) {
	s := newScene(b)
	var all []informer.Version
	for n := range 1000 {
		all = append(all, object(b, fmt.Sprintf(`nodes/w%d {"cpu":"16"}`, n)))
	}
	for w := range 100 {
		all = append(all, object(b, fmt.Sprintf(`workloads/default/web%d {"spec":{"replicas":100,"template":{"command":["run"]}},"status":{"observedGeneration":1,"revision":"r1"}}`, w)))
		for i := range 100 {
			all = append(all, object(b, fmt.Sprintf(`instances/default/web%d-%d {"cpu":"1","of":"web%d","on":"w%d","ready":true}`, w, i, w, (w*100+i)%1000)))
		}
	}
	s.put(b, all...)
	state := &State{View: s.store.Read(), Model: s.model, Beat: s.beat, Tenures: s.tenures(), StandingKnown: true, Now: s.now}
	for b.Loop() {
		if l := LookAt(state); len(l.Claims) != 0 {
			b.Fatalf("%+v", l.Claims[0])
		}
	}
}
