package gossiptest

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func arrived(t *Transport) int { return len(t.packets) }

func send(t *testing.T, from *Transport, to string) {
	t.Helper()
	if _, err := from.WriteTo([]byte("x"), to); err != nil {
		t.Fatal(err)
	}
}

func TestACutLinkLosesPacketsInItsDirectionOnly(t *testing.T) {
	n := NewNetwork()
	a, b := n.Listen(), n.Listen()
	heal := n.Cut(a.Addr(), b.Addr())
	send(t, a, b.Addr())
	send(t, b, a.Addr())
	if arrived(a) != 1 || arrived(b) != 0 {
		t.Fatalf("a got %d, b got %d; want 1 and 0", arrived(a), arrived(b))
	}
	heal()
	heal()
	send(t, a, b.Addr())
	if arrived(b) != 1 {
		t.Error("the healed link still loses packets")
	}
}

func TestOverlappingCutsHealOneByOne(t *testing.T) {
	n := NewNetwork()
	a, b := n.Listen(), n.Listen()
	first, second := n.Cut(a.Addr(), b.Addr()), n.Split(a.Addr(), b.Addr())
	first()
	send(t, a, b.Addr())
	if arrived(b) != 0 {
		t.Error("one heal undid two cuts")
	}
	second()
	send(t, a, b.Addr())
	if arrived(b) != 1 {
		t.Error("still cut")
	}
}

func TestAFullHostLosesPacketsAndNobodyWaits(t *testing.T) {
	n := NewNetwork()
	a, b := n.Listen(), n.Listen()
	for range packetBuffer + 10 {
		send(t, a, b.Addr())
	}
	if arrived(b) != packetBuffer {
		t.Errorf("%d packets wait, want %d", arrived(b), packetBuffer)
	}
}

func TestStreamsCarryBytesAndFailAsSocketsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := n.Listen(), n.Listen()
		go func() {
			conn := <-b.StreamCh()
			_, _ = conn.Write([]byte("hello"))
			_ = conn.Close()
		}()
		conn, err := a.DialTimeout(b.Addr(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
			t.Fatalf("read %q, %v", got, err)
		}
		_ = conn.Close()

		heal := n.Cut(b.Addr(), a.Addr())
		began := time.Now()
		if _, err := a.DialTimeout(b.Addr(), time.Second); err == nil || time.Since(began) != time.Second {
			t.Errorf("dial over a half-cut link: %v after %v, want a timeout after 1 s", err, time.Since(began))
		}
		heal()
		if err := b.Shutdown(); err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		if _, err := a.DialTimeout(b.Addr(), time.Second); err == nil || time.Since(began) != 0 {
			t.Errorf("dial to nobody: %v after %v, want a refusal at once", err, time.Since(began))
		}
	})
}

func TestAnAddressHasOneOwnerAtATime(t *testing.T) {
	n := NewNetwork()
	a := n.Listen()
	if _, err := n.ListenAt(a.Addr()); err == nil {
		t.Fatal("an address in use was given away")
	}
	for range 2 {
		if err := a.Shutdown(); err != nil {
			t.Fatal(err)
		}
	}
	again, err := n.ListenAt(a.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.WriteTo([]byte("x"), again.Addr()); err == nil || arrived(again) != 0 {
		t.Error("a host that shut down still sends")
	}
}
