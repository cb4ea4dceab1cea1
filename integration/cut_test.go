package integration

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// station is a place in a network where a test listens instead of a server.
type station struct {
	*process
	links *links
	// began are the connections that others began to keep.
	began chan net.Conn
}

// What the first byte of a connection asks a station for.
const (
	echoes = 'e'
	stays  = 's'
)

// newStation listens at a place. listen opens its Raft address there.
func newStation(t *testing.T, l *links, name string, listen func(p *process) (net.Listener, error)) *station {
	t.Helper()
	s := &station{process: newProcess(t, t.TempDir(), name), links: l, began: make(chan net.Conn)}
	l.place(s.process)
	listener, err := listen(s.process)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve(t.Context(), listener)
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return s
}

// serve answers connections one after the other: all that is asked of them is
// over at once.
func (s *station) serve(ctx context.Context, listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		first := make([]byte, 1)
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, err = io.ReadFull(conn, first)
		switch {
		case err == nil && first[0] == echoes:
			_, _ = conn.Write(first)
		case err == nil && first[0] == stays:
			select {
			case s.began <- conn:
				continue
			case <-ctx.Done():
			}
		}
		_ = conn.Close()
	}
}

// reaches says whether a new connection to another station comes about.
func (s *station) reaches(ctx context.Context, other *station, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := s.links.dial(ctx, s.name, other.raft)
	if err != nil {
		return false
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if _, err := conn.Write([]byte{echoes}); err != nil {
		return false
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err == nil
}

// stream is a connection that stays, with its two ends.
type stream struct {
	began, accepted *station
	near, far       net.Conn
}

func newStream(ctx context.Context, t *testing.T, from, to *station) *stream {
	t.Helper()
	near, err := from.links.dial(ctx, from.name, to.raft)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	if _, err := near.Write([]byte{stays}); err != nil {
		t.Fatal(err)
	}
	s := &stream{began: from, accepted: to, near: near}
	select {
	case s.far = <-to.began:
	case <-ctx.Done():
		t.Fatalf("no connection from %s to %s", from.name, to.name)
	}
	t.Cleanup(func() { _ = s.far.Close() })
	return s
}

// carries sends a byte from one of its stations to the other and says whether it
// arrives. One that did not may arrive later: want counts what is on its way.
func (s *stream) carries(t *testing.T, from *station, onTheWay int, within time.Duration) bool {
	t.Helper()
	sender, receiver := s.near, s.far
	if from == s.accepted {
		sender, receiver = receiver, sender
	}
	_ = sender.SetDeadline(time.Now().Add(within))
	if _, err := sender.Write([]byte{'.'}); err != nil {
		t.Fatalf("%s cannot send: %v", from.name, err)
	}
	_ = receiver.SetReadDeadline(time.Now().Add(within))
	_, err := io.ReadFull(receiver, make([]byte, onTheWay+1))
	return err == nil
}

const (
	comesAbout = 5 * time.Second        // with TCP's repetitions, after a cut
	staysAway  = 300 * time.Millisecond // longer than TCP's first repetition
)

// cutsBiteOneWay proves of a network, by connections that stand and by attempts
// to make new ones, that a cut bites in exactly one direction and heals.
func cutsBiteOneWay(t *testing.T, l *links, listen func(p *process) (net.Listener, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	a, b, c := newStation(t, l, "a", listen), newStation(t, l, "b", listen), newStation(t, l, "c", listen)
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
					t.Errorf("%s reaches %s: %t", from.name, to.name, !want(from, to))
				}
			}
		}
		for _, s := range all {
			conn, err := l.client(ctx, s.raft)
			if err != nil {
				t.Errorf("a client does not reach %s: %v", s.name, err)
				continue
			}
			_ = conn.Close()
		}
	}
	everyone := func(_, _ *station) bool { return true }
	// A new connection needs both directions.
	notBetweenThese := func(from, to *station) bool { return from == c || to == c }

	wantReached(everyone)
	streams := []*stream{newStream(ctx, t, a, b), newStream(ctx, t, b, a)}
	for _, test := range []struct{ lost, kept *station }{{a, b}, {b, a}} {
		l.Cut(test.lost.name, test.kept.name)
		for _, s := range streams {
			if s.carries(t, test.lost, 0, staysAway) {
				t.Errorf("cut, and a connection that %s began carries from %s", s.began.name, test.lost.name)
			}
			if !s.carries(t, test.kept, 0, comesAbout) {
				t.Errorf("cut one way, and a connection that %s began does not carry the other, from %s", s.began.name, test.kept.name)
			}
		}
		wantReached(notBetweenThese)
		l.bites("a", "b", "c")
		l.Heal(test.lost.name, test.kept.name)
		for _, s := range streams {
			if !s.carries(t, test.lost, 1, comesAbout) {
				t.Errorf("healed, and a connection that %s began does not carry from %s", s.began.name, test.lost.name)
			}
		}
		wantReached(everyone)
	}

	l.Part([]string{"a"}, []string{"b"})
	wantReached(notBetweenThese)
	l.HealAll()
	wantReached(everyone)
}
