package network

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// newLinks is a network of a layer; it skips the test where that cannot be made.
func newLinks(t *testing.T, layer Layer) *Links {
	t.Helper()
	l, err := New(t.Context(), Options{Layer: layer, Seed: 7})
	if err != nil {
		t.Skipf("SKIPPED, %s are not tested: %v", layer, err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// onEveryLayer tests a promise of both.
func onEveryLayer(t *testing.T, test func(t *testing.T, l *Links)) {
	t.Parallel()
	t.Helper()
	for _, layer := range []Layer{Namespaces, Proxies} {
		t.Run(string(layer), func(t *testing.T) {
			t.Parallel()
			test(t, newLinks(t, layer))
		})
	}
}

// station is a place in a network where a test listens instead of a server.
type station struct {
	*Placement
	links *Links
	// began are the connections that others began to keep.
	began chan net.Conn
}

// What the first byte of a connection asks a station for.
const (
	echoes = 'e'
	stays  = 's'
)

func newStation(t *testing.T, l *Links, name string) *station {
	t.Helper()
	place, err := l.Place(name, freeAddress(t), freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &station{Placement: place, links: l, began: make(chan net.Conn)}
	listener, err := place.Listen(t.Context(), place.Raft)
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

// given are the addresses that freeAddress returned.
var given sync.Map

// freeAddress is one that nothing listens on now, and another each time. It lies
// below the ports that the system gives to connections, so that none of them takes
// it later.
func freeAddress(t *testing.T) string {
	t.Helper()
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(18000))); err == nil {
			address := l.Addr().String()
			_ = l.Close()
			if _, again := given.LoadOrStore(address, true); !again {
				return address
			}
		}
	}
	t.Fatal(err)
	return ""
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
			_ = conn.SetDeadline(time.Time{})
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
	conn, err := s.links.Dial(ctx, s.Name, other.Raft)
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

// heldConn is a connection that stays, with its two ends.
type heldConn struct {
	began, accepted *station
	near, far       net.Conn
}

func newHeldConn(ctx context.Context, t *testing.T, from, to *station) *heldConn {
	t.Helper()
	near, err := from.links.Dial(ctx, from.Name, to.Raft)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	if _, err := near.Write([]byte{stays}); err != nil {
		t.Fatal(err)
	}
	s := &heldConn{began: from, accepted: to, near: near}
	select {
	case s.far = <-to.began:
	case <-ctx.Done():
		t.Fatalf("no connection from %s to %s", from.Name, to.Name)
	}
	t.Cleanup(func() { _ = s.far.Close() })
	return s
}

// carries sends a byte from one of its stations to the other and says whether it
// arrives. One that did not may arrive later: want counts what is on its way.
func (s *heldConn) carries(t *testing.T, from *station, onTheWay int, within time.Duration) bool {
	t.Helper()
	sender, receiver := s.near, s.far
	if from == s.accepted {
		sender, receiver = receiver, sender
	}
	_ = sender.SetDeadline(time.Now().Add(within))
	if _, err := sender.Write([]byte{'.'}); err != nil {
		t.Fatalf("%s cannot send: %v", from.Name, err)
	}
	_ = receiver.SetReadDeadline(time.Now().Add(within))
	_, err := io.ReadFull(receiver, make([]byte, onTheWay+1))
	return err == nil
}

// takes is how long a byte takes there and back.
func (s *heldConn) takes(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	if !s.carries(t, s.began, 0, comesAbout) || !s.carries(t, s.accepted, 0, comesAbout) {
		t.Fatalf("nothing came from %s to %s and back", s.began.Name, s.accepted.Name)
	}
	return time.Since(began)
}
