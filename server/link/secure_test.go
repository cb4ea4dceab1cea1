package link

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// claims is a Secure by which a connection proves the ID that it is made with.
type claims struct{ own string }

func (s claims) Client(_ context.Context, c net.Conn, serverID string) (net.Conn, error) {
	if _, err := c.Write([]byte(s.own + "\n")); err != nil {
		return nil, err
	}
	answer := make([]byte, len(serverID))
	if _, err := c.Read(answer); err != nil || string(answer) != serverID {
		return nil, candor.Errorf(candor.ReasonUnauthenticated, "%s answers for %s", answer, serverID)
	}
	return c, nil
}

func (s claims) Server(_ context.Context, c net.Conn) (net.Conn, string, error) {
	var name []byte
	for one := make([]byte, 1); ; name = append(name, one[0]) {
		if _, err := c.Read(one); err != nil {
			return nil, "", err
		}
		if one[0] == '\n' {
			break
		}
	}
	_, err := c.Write([]byte(s.own))
	return c, string(name), err
}

// TestAServerIsWhoItProvesToBe and not who it says it is, on both sides.
func TestAServerIsWhoItProvesToBe(t *testing.T) {
	layer := func(id, proves string) *Layer {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := New(Config{
			Secure: claims{proves}, Listener: listener, ClusterID: "c1", ServerID: id, Logger: hclog.NewNullLogger(),
			Dial: func(ctx context.Context, to string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", to)
			},
		})
		l.Start(echo{}, func(string) {})
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	a, b, thief := layer("a", "a"), layer("b", "b"), layer("a", "w")
	go func() {
		if c, err := b.Accept(); err == nil {
			_ = c.Close()
		}
	}()
	c, err := a.Dial(Address("b", b.config.Listener.Addr().String()), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	// Its certificate is w's, whatever it writes into the first line.
	if _, err := thief.Dial(Address("b", b.config.Listener.Addr().String()), time.Second); err == nil || !strings.Contains(err.Error(), "certificate is of server w") {
		t.Errorf("with another's certificate: %v", err)
	}
	if _, err := a.Dial(Address("c", b.config.Listener.Addr().String()), time.Second); candor.ReasonOf(err) != candor.ReasonUnauthenticated {
		t.Errorf("somebody else answers: %v", err)
	}
}

// TestASecuredConnectionEndsByItsAge between two messages.
func TestASecuredConnectionEndsByItsAge(t *testing.T) {
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	c := age(near, true)
	if left := time.Until(c.until); left < maxAge-time.Minute || left > 2*maxAge {
		t.Errorf("it ends in %s", left)
	}
	c.until = time.Now()
	if _, err := c.Write([]byte("x")); candor.ReasonOf(err) != candor.ReasonUnavailable {
		t.Errorf("an old connection: %v", err)
	}
	if !isAged(c) || isAged(near) {
		t.Error("which of the two is old?")
	}
}
