package network

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"
)

// TestADelayHoldsUpItsDirection: connections that stand and those that begin, and
// it is gone when healed.
func TestADelayHoldsUpItsDirection(t *testing.T) {
	onEveryLayer(t, func(t *testing.T, l *Links) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		a, b := newStation(t, l, "a"), newStation(t, l, "b")
		s := newHeldConn(ctx, t, a, b)
		const delay = 80 * time.Millisecond
		fault, err := l.Shape(ctx, Shape{Delay: delay, Jitter: delay / 8}, Direction{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		if took := s.takes(t); took < delay {
			t.Errorf("there and back took %s; want the delay of one direction, %s", took, delay)
		}
		began := time.Now()
		if !a.reaches(ctx, b, comesAbout) || time.Since(began) < delay {
			t.Errorf("a new connection took %s", time.Since(began))
		}
		if delivered, err := l.Delivers(ctx, Direction{"a", "b"}); err != nil || !delivered {
			t.Errorf("delayed, and it delivers %t: %v", delivered, err)
		}
		bite, back := fault.Bite(), l.Counters()[Direction{"b", "a"}]
		if bite.Delayed == 0 || bite.Lost > 0 || back.Faults() > 0 {
			t.Errorf("counted %+v, and of the other direction %+v", bite, back)
		}
		if err := fault.Heal(ctx); err != nil {
			t.Fatal(err)
		}
		within := time.Now().Add(comesAbout)
		for s.takes(t) >= delay {
			if time.Now().After(within) {
				t.Fatal("healed, and it is still held up")
			}
		}
	})
}

// TestADelayedStreamKeepsItsRateAndItsBytes: what is on its way is many messages.
func TestADelayedStreamKeepsItsRateAndItsBytes(t *testing.T) {
	onEveryLayer(t, func(t *testing.T, l *Links) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		s := newHeldConn(ctx, t, newStation(t, l, "a"), newStation(t, l, "b"))
		shape := Shape{Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond, Reorder: 5, Loss: 1}
		if _, err := l.Shape(ctx, shape, Direction{"a", "b"}); err != nil {
			t.Fatal(err)
		}
		sent := make([]byte, 1<<20)
		for i := range sent {
			sent[i] = byte(i * 7 / 3)
		}
		for bitten := false; !bitten && !t.Failed(); {
			arrives(t, s, sent)
			counters := l.Counters()[Direction{"a", "b"}]
			bitten = counters.Delayed > 0 && counters.Reordered > 0
		}
		if err := l.HealAll(ctx); err != nil {
			t.Error(err)
		}
	})
}

// arrives sends bytes and wants them to come as they were.
func arrives(t *testing.T, s *heldConn, sent []byte) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := s.near.Write(sent)
		done <- err
	}()
	received := make([]byte, len(sent))
	deadline := time.Now().Add(20 * time.Second)
	_, _ = s.near.SetWriteDeadline(deadline), s.far.SetReadDeadline(deadline)
	if n, err := io.ReadFull(s.far, received); err != nil {
		t.Errorf("%d bytes arrived: %v", n, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !slices.Equal(sent, received) {
		t.Error("other bytes arrived than were sent")
	}
}

// TestALossIsRepeated: a connection survives it and takes longer.
func TestALossIsRepeated(t *testing.T) {
	onEveryLayer(t, func(t *testing.T, l *Links) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		s := newHeldConn(ctx, t, newStation(t, l, "a"), newStation(t, l, "b"))
		fault, err := l.Shape(ctx, Shape{Loss: 40}, Direction{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		for fault.Bite().Lost == 0 {
			s.takes(t)
		}
		if delivered, err := l.Delivers(ctx, Direction{"a", "b"}); err != nil || !delivered {
			t.Errorf("some is lost, and it delivers %t: %v", delivered, err)
		}
		if err := fault.Heal(ctx); err != nil {
			t.Error(err)
		}
		s.takes(t)
	})
}

// TestTheSeedSaysWhatBefallsTheNthMessage, of each direction by itself.
func TestTheSeedSaysWhatBefallsTheNthMessage(t *testing.T) {
	draws := func(seed uint64, d Direction) []fate {
		w := newWay(d, seed)
		c := condition{shape: Shape{Delay: time.Millisecond, Jitter: time.Second, Loss: 30, Reorder: 20, Duplicate: 10}}
		out := make([]fate, 0, 200)
		for range 200 {
			w.draw(c, true) // what Delivers sends changes nothing
			out = append(out, w.draw(c, false))
		}
		return out
	}
	ab := Direction{"a", "b"}
	one := draws(1, ab)
	if !slices.Equal(one, draws(1, ab)) {
		t.Error("the same seed decides otherwise")
	}
	if slices.Equal(one, draws(2, ab)) || slices.Equal(one, draws(1, ab.Back())) {
		t.Error("another seed, or direction, decides the same")
	}
	lost := 0
	for _, f := range one {
		if f.lost {
			lost++
		}
	}
	if lost < 30 || lost > 90 {
		t.Errorf("of 200 messages %d were lost; want 30 percent", lost)
	}
}
