package limit_test

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/limit"
)

func BenchmarkEnter(b *testing.B) {
	l := newLimiter(b, nil)
	who := limit.Actor("ana")
	b.ReportAllocs()
	for b.Loop() {
		place, err := l.Enter(b.Context(), who, candor.AdmitRead)
		if err != nil {
			b.Fatal(err)
		}
		place.Done()
	}
}

func BenchmarkEnterWithRate(b *testing.B) {
	l := newLimiter(b, func(s *limit.Settings) { s.Read.Rate, s.Read.Burst = 1e9, 1<<20 })
	who := limit.Actor("ana")
	b.ReportAllocs()
	for b.Loop() {
		place, err := l.Enter(b.Context(), who, candor.AdmitRead)
		if err != nil {
			b.Fatal(err)
		}
		place.Done()
	}
}

// Every core serves a party of its own (0), all serve the same one, or many.
func BenchmarkEnterParallel(b *testing.B) {
	for _, parties := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("parties=%d", parties), func(b *testing.B) {
			l := newLimiter(b, nil)
			var core atomic.Int64
			who := make([]limit.Who, max(64, parties))
			for i := range who {
				who[i] = limit.Actor(fmt.Sprintf("client-%d", i))
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				at, step := int(core.Add(1)), 0
				if parties > 0 {
					step, at = 1, at*parties/2
				}
				for pb.Next() {
					at += step
					i := at
					if parties > 0 {
						i = at % parties
					}
					place, err := l.Enter(b.Context(), who[i], candor.AdmitRead)
					if err != nil {
						b.Error(err)
						return
					}
					place.Done()
				}
			})
		})
	}
}

// What a full class costs: every place goes from hand to hand.
func BenchmarkEnterFull(b *testing.B) {
	l := newLimiter(b, func(s *limit.Settings) { s.Topology.Places, s.Topology.Reserved, s.Topology.Share = 2, 0, 2 })
	who := []limit.Who{limit.Actor("ana"), limit.Actor("ben"), limit.Actor("cleo")}
	var each atomic.Int64
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w := who[each.Add(1)%3]
		for pb.Next() {
			place, err := l.Enter(b.Context(), w, candor.AdmitTopology)
			if err != nil {
				b.Error(err)
				return
			}
			place.Done()
		}
	})
}

func BenchmarkRefuse(b *testing.B) {
	l := newLimiter(b, func(s *limit.Settings) { s.Topology.Places, s.Topology.Reserved, s.Topology.Queue = 1, 0, 0 })
	who := limit.Actor("ana")
	place, err := l.Enter(b.Context(), who, candor.AdmitTopology)
	if err != nil {
		b.Fatal(err)
	}
	defer place.Done()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Enter(b.Context(), who, candor.AdmitTopology); err == nil {
			b.Fatal("entered")
		}
	}
}

// Newcomers pay for the sweeps.
func BenchmarkEnterNewcomer(b *testing.B) {
	l := newLimiter(b, nil)
	who := make([]limit.Who, 1<<20)
	for i := range who {
		who[i] = limit.Actor(fmt.Sprintf("client-%d", i))
	}
	at := 0
	b.ReportAllocs()
	for b.Loop() {
		place, err := l.Enter(b.Context(), who[at%len(who)], candor.AdmitRead)
		if err != nil {
			b.Fatal(err)
		}
		place.Done()
		at++
	}
}

// What a connection costs the gate, beside the listener's own accept and close.
func BenchmarkGatePass(b *testing.B) {
	settings := limit.GateDefaults()
	settings.Rate = 0
	_, from := arrive(b, &settings)
	at := address("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		from(at).Close()
	}
}

// One address over its rate, on real sockets; the dialler's part is in it.
func BenchmarkGateFlood(b *testing.B) {
	p := newPorch(b, func(s *limit.GateSettings) { s.Rate, s.Burst = 0.001, 1 })
	p.pass(b, "127.0.0.1")
	dialer := net.Dialer{}
	for b.Loop() {
		conn, err := dialer.DialContext(b.Context(), "tcp", p.gate.Addr().String())
		if err == nil {
			_, _ = conn.Read(make([]byte, 1))
			conn.Close()
		}
	}
}
