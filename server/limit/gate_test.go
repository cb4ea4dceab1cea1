package limit_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/server/limit"
)

// porch is a gate on loopback whose connections are accepted and held.
type porch struct {
	gate *limit.Gate
	held chan net.Conn
	told sync.Map // "address why" -> *atomic.Int64
}

func newPorch(t testing.TB, change func(*limit.GateSettings)) *porch {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	settings := limit.GateDefaults()
	settings.Rate = 0
	change(&settings)
	p := &porch{held: make(chan net.Conn, 100_000)}
	p.gate, err = limit.NewGate(listener, settings, func(remote string, why limit.Cause) {
		n, _ := p.told.LoadOrStore(remote+" "+string(why), new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := p.gate.Accept()
			if err != nil {
				return
			}
			p.held <- conn
		}
	}()
	t.Cleanup(func() {
		p.gate.Close()
		<-ended
		close(p.held)
		for conn := range p.held {
			conn.Close()
		}
		if s := p.gate.Stats(); s.Open != 0 {
			t.Errorf("every connection is closed, and %d count as open", s.Open)
		}
	})
	return p
}

// dial connects from a loopback address.
func (p *porch) dial(t testing.TB, from string) (net.Conn, error) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(t.Context(), "tcp", p.gate.Addr().String())
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// pass connects and is let in; both ends of the connection.
func (p *porch) pass(t testing.TB, from string) (dialled, accepted net.Conn) {
	t.Helper()
	dialled, err := p.dial(t, from)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case accepted = <-p.held:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s was not let in: %+v", from, p.gate.Stats())
	}
	t.Cleanup(func() { accepted.Close() })
	return dialled, accepted
}

// isRefused connects and fails unless the gate resets the connection, which the
// dialler may see at once or when it reads.
func (p *porch) isRefused(t testing.TB, from string) {
	t.Helper()
	conn, err := p.dial(t, from)
	if err == nil {
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = conn.Read(make([]byte, 1))
		conn.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("a connection from %s: %v; want a reset", from, err)
	}
}

// eventually polls, for what the other side of a socket does.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func (p *porch) count(why string) int64 {
	n, ok := p.told.Load(why)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

func TestOneAddressThatOpensThousandsLeavesRoomForOthers(t *testing.T) {
	const greedy, own = 5_000, 500
	p := newPorch(t, func(s *limit.GateSettings) { s.PerAddress, s.Connections = own, 2*own })
	for range own {
		p.pass(t, "127.0.0.1") // and says nothing
	}
	for range greedy - own {
		p.isRefused(t, "127.0.0.1")
	}
	here, there := p.pass(t, "127.0.0.2")
	if _, err := here.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(there, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	s := p.gate.Stats()
	want := []limit.Busy{
		{Key: "127.0.0.1", InUse: own, Entered: own, Refused: greedy - own},
		{Key: "127.0.0.2", InUse: 1, Entered: 1},
	}
	if diff := cmp.Diff(want, s.Busiest); diff != "" {
		t.Error(diff)
	}
	told := p.count("127.0.0.1 ADDRESS_CONNECTIONS")
	if s.Refused[limit.CauseAddressConnections] != greedy-own || told != greedy-own {
		t.Errorf("%d refusals counted and %d observed; want %d", s.Refused[limit.CauseAddressConnections], told, greedy-own)
	}
}

func TestAnAddressThatIsRefusedGetsInAgainOnceItCloses(t *testing.T) {
	p := newPorch(t, func(s *limit.GateSettings) { s.PerAddress = 1 })
	_, there := p.pass(t, "127.0.0.1")
	p.isRefused(t, "127.0.0.1")
	for range 3 { // of which one counts
		there.Close()
	}
	p.pass(t, "127.0.0.1")
	p.isRefused(t, "127.0.0.1")
	if n := p.gate.Stats().Open; n != 1 {
		t.Errorf("%d count as open; want 1", n)
	}
}

func TestConnectionsAreBoundedInTotal(t *testing.T) {
	p := newPorch(t, func(s *limit.GateSettings) { s.PerAddress, s.Connections = 10, 3 })
	p.pass(t, "127.0.0.1")
	p.pass(t, "127.0.0.1")
	_, there := p.pass(t, "127.0.0.2")
	p.isRefused(t, "127.0.0.3")
	there.Close()
	p.pass(t, "127.0.0.3")
	settings := limit.GateDefaults()
	if err := p.gate.Set(settings); err != nil {
		t.Fatal(err)
	}
	p.pass(t, "127.0.0.2")
	settings.Connections = 0
	if err := p.gate.Set(settings); err == nil {
		t.Error("a gate without connections")
	}
	if s := p.gate.Stats(); s.Refused[limit.CauseConnections] != 1 || s.Limit != limit.GateDefaults().Connections {
		t.Errorf("%+v", s)
	}
}

func TestAnAddressThatComesTooOftenIsClosedAndOthersAreNot(t *testing.T) {
	// One token in 1,000 s: none comes while the test runs.
	p := newPorch(t, func(s *limit.GateSettings) { s.Rate, s.Burst = 0.001, 20 })
	for range 20 {
		here, _ := p.pass(t, "127.0.0.1")
		here.Close()
	}
	for range 500 {
		p.isRefused(t, "127.0.0.1")
	}
	p.pass(t, "127.0.0.2")
	if s := p.gate.Stats(); s.Refused[limit.CauseRate] != 500 {
		t.Errorf("%+v", s)
	}
}

func TestAcceptGoesOnForOthersDuringAFlood(t *testing.T) {
	p := newPorch(t, func(s *limit.GateSettings) { s.Rate, s.Burst = 0.001, 20 })
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
			for ctx.Err() == nil {
				conn, err := dialer.DialContext(ctx, "tcp", p.gate.Addr().String())
				if err == nil {
					conn.Close()
				}
			}
		})
	}
	eventually(t, "the flood is refused", func() bool { return p.count("127.0.0.1 RATE") > 200 })
	drain := func() net.Conn {
		for conn := range p.held {
			if strings.HasPrefix(conn.RemoteAddr().String(), "127.0.0.2:") {
				return conn
			}
			conn.Close()
		}
		return nil
	}
	for range 10 {
		began := time.Now()
		if _, err := p.dial(t, "127.0.0.2"); err != nil {
			t.Fatal(err)
		}
		drain().Close()
		if waited := time.Since(began); waited > 5*time.Second {
			t.Errorf("accepted after %s", waited)
		}
	}
	cancel()
	group.Wait()
}

func TestAConnectionStillHasItsSocket(t *testing.T) {
	p := newPorch(t, func(*limit.GateSettings) {})
	_, there := p.pass(t, "127.0.0.1")
	raw, err := there.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(uintptr) {}); err != nil {
		t.Error(err)
	}
}

func TestAGateWhoseListenerIsClosedSaysSo(t *testing.T) {
	p := newPorch(t, func(*limit.GateSettings) {})
	p.gate.Close()
	if _, err := p.gate.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// staged is a listener of connections from wherever the test says.
type staged struct {
	net.Listener

	from chan net.Addr
}

func (s *staged) Accept() (net.Conn, error) {
	from, ok := <-s.from
	if !ok {
		return nil, net.ErrClosed
	}
	return &silent{remote: from}, nil
}

type silent struct {
	net.Conn

	remote net.Addr
}

func (s *silent) RemoteAddr() net.Addr { return s.remote }
func (s *silent) Close() error         { return nil }

// arrive puts one connection before the gate, and is nil if it was refused.
func arrive(t testing.TB, settings *limit.GateSettings) (*limit.Gate, func(from net.Addr) net.Conn) {
	t.Helper()
	stage := &staged{from: make(chan net.Addr, 2)}
	var refused int
	gate, err := limit.NewGate(stage, *settings, func(string, limit.Cause) { refused++ })
	if err != nil {
		t.Fatal(err)
	}
	marker := &net.UnixAddr{Name: "marker"} // what is accepted next, if the first is not
	return gate, func(from net.Addr) net.Conn {
		stage.from <- from
		stage.from <- marker
		conn, err := gate.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if conn.RemoteAddr() == marker {
			conn.Close()
			return nil
		}
		after, err := gate.Accept()
		if err != nil {
			t.Fatal(err)
		}
		after.Close()
		return conn
	}
}

func address(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }

func TestAnIPv6PrefixIsOneAddress(t *testing.T) {
	settings := limit.GateDefaults()
	settings.PerAddress = 2
	_, from := arrive(t, &settings)
	for _, ip := range []string{"2001:db8::1", "2001:db8::2:2", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8:0:1::1"} {
		if from(address(ip)) == nil {
			t.Errorf("%s is refused", ip)
		}
	}
	for _, ip := range []string{"2001:db8::ffff:ffff:ffff:3", "192.0.2.1"} {
		if from(address(ip)) != nil {
			t.Errorf("%s has a third connection", ip)
		}
	}
}

func TestAddressesThatAreQuietAreForgotten(t *testing.T) {
	settings := limit.GateDefaults()
	settings.Addresses = 100
	gate, from := arrive(t, &settings)
	busy := from(address("192.0.2.1"))
	for i := range 100_000 {
		conn := from(&net.TCPAddr{IP: net.IPv4(10, byte(i>>16), byte(i>>8), byte(i))})
		if conn == nil {
			t.Fatal("an address that never came before is refused")
		}
		conn.Close()
	}
	s := gate.Stats()
	if s.Addresses > 100 || s.Addresses+int(s.Forgotten) < 100_000 {
		t.Errorf("%d addresses are remembered and %d forgotten", s.Addresses, s.Forgotten)
	}
	if s.Open != 1 || s.Busiest[0].Key != "192.0.2.1" {
		t.Errorf("%+v; want the connection that is open", s)
	}
	busy.Close()
}

func TestEachConnectionIsCountedOutOnceHoweverManyCloseIt(t *testing.T) {
	settings := limit.GateDefaults()
	gate, from := arrive(t, &settings)
	conn := from(address("192.0.2.1"))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { conn.Close() })
	}
	group.Wait()
	if n := gate.Stats().Open; n != 0 {
		t.Errorf("%d count as open", n)
	}
}
