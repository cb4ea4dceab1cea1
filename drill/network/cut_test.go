package network

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

const (
	comesAbout = 5 * time.Second        // with TCP's repetitions, after a cut
	staysAway  = 300 * time.Millisecond // longer than TCP's first repetition
)

// TestACutBitesOneWayAndHeals: by connections that stand and by attempts to make
// new ones.
func TestACutBitesOneWayAndHeals(t *testing.T) {
	onEveryLayer(t, cutBitesOneWayAndHeals)
}

func cutBitesOneWayAndHeals(t *testing.T, l *Links) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	a, b, c := newStation(t, l, "a"), newStation(t, l, "b"), newStation(t, l, "c")
	all := []*station{a, b, c}
	wantReached := func(want func(from, to *station) bool) {
		t.Helper()
		for _, from := range all {
			for _, to := range all {
				within := comesAbout
				if !want(from, to) {
					within = staysAway
				}
				if from != to && from.reaches(ctx, to, within) != want(from, to) {
					t.Errorf("%s reaches %s: %t", from.Name, to.Name, !want(from, to))
				}
			}
		}
		for _, s := range all {
			conn, err := l.Dial(ctx, "", s.Raft)
			if err != nil {
				t.Errorf("a client does not reach %s: %v", s.Name, err)
				continue
			}
			_ = conn.Close()
		}
	}
	everyone := func(_, _ *station) bool { return true }
	// A new connection needs both directions.
	notBetweenThese := func(from, to *station) bool { return from == c || to == c }

	wantReached(everyone)
	streams := []*heldConn{newHeldConn(ctx, t, a, b), newHeldConn(ctx, t, b, a)}
	for _, test := range []struct{ lost, kept *station }{{a, b}, {b, a}} {
		cut, err := l.Cut(ctx, Direction{test.lost.Name, test.kept.Name})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range streams {
			if s.carries(t, test.lost, 0, staysAway) {
				t.Errorf("cut, and a connection that %s began carries from %s", s.began.Name, test.lost.Name)
			}
			if !s.carries(t, test.kept, 0, comesAbout) {
				t.Errorf("cut one way, and a connection that %s began does not carry the other, from %s", s.began.Name, test.kept.Name)
			}
		}
		wantReached(notBetweenThese)
		if err := l.Holds(ctx, "a", "b", "c"); err != nil {
			t.Error(err)
		}
		if bite := cut.Bite(); bite.Lost == 0 {
			t.Errorf("cut, and nothing was counted: %+v", bite)
		}
		if err := cut.Heal(ctx); err != nil {
			t.Error(err)
		}
		for _, s := range streams {
			if !s.carries(t, test.lost, 1, comesAbout) {
				t.Errorf("healed, and a connection that %s began does not carry from %s", s.began.Name, test.lost.Name)
			}
		}
		wantReached(everyone)
	}

	if _, err := l.Cut(ctx, Between([]string{"a"}, []string{"b"})...); err != nil {
		t.Fatal(err)
	}
	wantReached(notBetweenThese)
	if err := l.HealAll(ctx); err != nil {
		t.Error(err)
	}
	wantReached(everyone)
	for d, counters := range l.Counters() {
		if bitten := d.From != "c" && d.To != "c"; bitten != (counters.Faults() > 0) {
			t.Errorf("%s was cut %t: %+v", d, bitten, counters)
		}
	}
}

// TestWhatTwoFaultsCutStaysCutUntilBothAreHealed, and what nothing was sent over
// has not been bitten: trying a cut is no bite.
func TestWhatTwoFaultsCutStaysCutUntilBothAreHealed(t *testing.T) {
	onEveryLayer(t, func(t *testing.T, l *Links) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		newStation(t, l, "a")
		newStation(t, l, "b")
		d := Direction{"a", "b"}
		var faults []*Fault
		for range 2 {
			fault, err := l.Cut(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			faults = append(faults, fault)
		}
		for i, fault := range faults {
			if err := fault.Heal(ctx); err != nil {
				t.Error(err)
			}
			if err := fault.Heal(ctx); err != nil {
				t.Errorf("healed again: %v", err)
			}
			if delivered, err := l.Delivers(ctx, d); err != nil || delivered != (i == 1) {
				t.Errorf("%d of two cuts healed, and it delivers %t: %v", i+1, delivered, err)
			}
			if bite := fault.Bite(); bite != (Counters{}) {
				t.Errorf("nobody sent anything, and counted is %+v", bite)
			}
		}
	})
}

// TestACanceledHealHealsNevertheless: only the trying is not done.
func TestACanceledHealHealsNevertheless(t *testing.T) {
	onEveryLayer(t, func(t *testing.T, l *Links) {
		newStation(t, l, "a")
		newStation(t, l, "b")
		d := Direction{"b", "a"}
		if _, err := l.Cut(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		_ = l.HealAll(canceled) // a try that is faster than the end of the context is no error
		if delivered, err := l.Delivers(t.Context(), d); err != nil || !delivered {
			t.Errorf("it delivers %t: %v", delivered, err)
		}
	})
}

func TestLinksRefuseWhatTheyCannotMake(t *testing.T) {
	onEveryLayer(t, func(t *testing.T, l *Links) {
		ctx := t.Context()
		newStation(t, l, "a")
		newStation(t, l, "b")
		d := Direction{"a", "b"}
		for name, try := range map[string]func() error{
			"a link to nobody":       func() error { _, err := l.Cut(ctx, Direction{"a", "x"}); return err },
			"a place twice":          func() error { _, err := l.Place("a", "127.0.0.1:7101", "127.0.0.1:7201"); return err },
			"a place elsewhere":      func() error { _, err := l.Place("c", "192.0.2.1:7101", "127.0.0.1:7201"); return err },
			"a connection of nobody": func() error { _, err := l.Dial(ctx, "x", "127.0.0.1:7101"); return err },
			"no shape":               func() error { _, err := l.Shape(ctx, Shape{}, d); return err },
			"more than all":          func() error { _, err := l.Shape(ctx, Shape{Loss: 101}, d); return err },
			"a layer that is none":   func() error { _, err := New(ctx, Options{Layer: "strings"}); return err },
		} {
			if err := try(); !errors.Is(err, &candor.Error{Reason: candor.ReasonInvalid}) {
				t.Errorf("%s: %v", name, err)
			}
		}
		fault, err := l.Shape(ctx, Shape{Loss: 100}, d)
		if err != nil {
			t.Fatal(err)
		}
		if delivered, err := l.Delivers(ctx, d); err != nil || delivered {
			t.Errorf("all is lost, and it delivers %t: %v", delivered, err)
		}
		if err := errors.Join(l.Holds(ctx, "a", "b"), fault.Heal(ctx)); err != nil {
			t.Error(err)
		}
		if err := l.Holds(ctx, "a", "b"); err != nil {
			t.Errorf("after refusals: %v", err)
		}
		_, err = l.Shape(ctx, Shape{Duplicate: 10}, d)
		if refused := errors.Is(err, &candor.Error{Reason: candor.ReasonUnimplemented}); refused != (l.Layer() == Proxies) {
			t.Errorf("duplicates over %s: %v", l.Layer(), err)
		}
	})
}
