package limit_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/limit"
)

func TestAMillionIdentitiesAreNotAllRemembered(t *testing.T) {
	const bound = 4096
	for _, test := range []struct {
		name string
		many int
		rate float64
	}{
		{"and owe nothing", 1_000_000, 0},
		{"and have buckets that are not full", 200_000, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLimiter(t, func(s *limit.Settings) {
				s.Identities = bound
				s.Read.Rate, s.Read.Burst = test.rate, 10
			})
			busy, err := l.Enter(t.Context(), limit.Actor("busy"), candor.AdmitRead)
			if err != nil {
				t.Fatal(err)
			}
			before := heap()
			for i := range test.many {
				place, err := l.Enter(t.Context(), limit.Actor(fmt.Sprintf("client-%d", i)), candor.AdmitRead)
				if err != nil {
					t.Fatal(err)
				}
				place.Done()
			}
			if grown := int64(heap()) - int64(before); grown > 8<<20 {
				t.Errorf("the heap grew by %d bytes; want less than 8 MiB", grown)
			}
			s := l.Stats()
			if s.Identities > bound || s.Identities+int(s.Forgotten) != test.many+1 {
				t.Errorf("%d identities are remembered and %d forgotten; want at most %d, and %d together", s.Identities, s.Forgotten, bound, test.many+1)
			}
			if got := s.Classes[0]; got.Entered != uint64(test.many)+1 || got.InUse != 1 || got.Busiest[0].Key != "busy" {
				t.Errorf("%+v; want every request counted, and who is busy remembered", got)
			}
			busy.Done()
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestWhoHasSomethingUnderWayIsNotForgotten(t *testing.T) {
	l := newLimiter(t, func(s *limit.Settings) {
		s.Identities, s.Watches = 64, 100_000
		s.Read.Share = 1
	})
	const many = 5_000
	var watches []limit.Watch
	for i := range many {
		w, err := l.Watch(limit.Actor(fmt.Sprintf("client-%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		watches = append(watches, w)
	}
	if s := l.Stats(); s.Identities != many || s.Forgotten != 0 {
		t.Errorf("%d remembered, %d forgotten; want all of %d remembered", s.Identities, s.Forgotten, many)
	}
	place, err := l.Enter(t.Context(), limit.Actor("client-1"), candor.AdmitRead)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Enter(ended, limit.Actor("client-1"), candor.AdmitRead); err == nil {
		t.Error("client-1 has more than its share: it was forgotten and met again")
	}
	place.Done()
	for _, w := range watches {
		w.Done()
	}
	for i := range many * 3 {
		w, err := l.Watch(limit.Actor(fmt.Sprintf("later-%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		w.Done()
	}
	if s := l.Stats(); s.Identities > many*2 || s.Watches.Open != 0 {
		t.Errorf("%d remembered, %d watches; want those that ended forgotten", s.Identities, s.Watches.Open)
	}
}

func TestTheFastWayAllocatesNothing(t *testing.T) {
	l := newLimiter(t, func(s *limit.Settings) { s.Write.Rate, s.Write.Burst = 1e9, 1<<20 })
	for _, class := range []candor.AdmissionClass{candor.AdmitRead, candor.AdmitWrite} {
		// Under -race too: nothing on the way is pooled.
		n := testing.AllocsPerRun(1000, func() {
			place, err := l.Enter(t.Context(), limit.Actor("server/1"), class)
			if err != nil {
				t.Fatal(err)
			}
			place.Done()
		})
		if n != 0 {
			t.Errorf("%s: %v allocations; want none", class, n)
		}
	}
}

func TestEverySettingIsChecked(t *testing.T) {
	if err := new(limit.Settings).Check(); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("no settings at all: %v", err)
	}
	for flag, change := range map[string]func(*limit.Settings){
		"--limit read-places":             func(s *limit.Settings) { s.Read.Places = 1 << 20 },
		"--limit write-reserved":          func(s *limit.Settings) { s.Write.Reserved = s.Write.Places },
		"--limit topology-share":          func(s *limit.Settings) { s.Topology.Share = 0 },
		"--limit execute-queue":           func(s *limit.Settings) { s.Execute.Queue = -1 },
		"--limit read-queue-per-identity": func(s *limit.Settings) { s.Read.QueuePerIdentity = -1 },
		"--limit read-wait":               func(s *limit.Settings) { s.Read.Wait = 0 },
		"--limit read-rate-wait":          func(s *limit.Settings) { s.Read.RateWait = -1 },
		"--limit read-rate":               func(s *limit.Settings) { s.Read.Rate = -1 },
		"--limit watches":                 func(s *limit.Settings) { s.Watches = -1 },
		"--limit watches-per-identity":    func(s *limit.Settings) { s.WatchesPerIdentity = -1 },
		"--limit identities":              func(s *limit.Settings) { s.Identities = 0 },
	} {
		settings := limit.Defaults()
		if err := settings.Check(); err != nil {
			t.Fatalf("the defaults: %v", err)
		}
		change(&settings)
		l, err := limit.New(settings)
		if candor.ReasonOf(err) != candor.ReasonInvalid || !strings.Contains(err.Error(), flag+" ") || l != nil {
			t.Errorf("%s: %v, %v", flag, l, err)
		}
	}
	gate := limit.GateDefaults()
	if err := gate.Check(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	gate.PerAddress = 0
	if err := gate.Check(); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("no connections: %v", err)
	}
}
