package link

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broken is the last server whose connection ended.
var broken atomic.Value

func start(t *testing.T, cluster, server string) *Layer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(Config{
		Listener: listener, ClusterID: cluster, ServerID: server, Logger: hclog.NewNullLogger(),
		Dial: func(ctx context.Context, to string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", to)
		},
	})
	l.Start(echo{}, func(from string) { broken.Store(from) })
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestAConnectionReachesTheServerItIsMeantForAndNobodyElse(t *testing.T) {
	a, b := start(t, "c1", "a"), start(t, "c1", "b")
	hostPort := b.config.Listener.Addr().String()
	got := make(chan net.Conn, 1)
	go func() {
		c, err := b.Accept()
		if err == nil {
			got <- c
		}
		close(got)
	}()
	c, err := a.Dial(Address("b", hostPort), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	other := <-got
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	if _, err := other.Read(one); err != nil || one[0] != 'x' {
		t.Fatalf("read %q, %v", one, err)
	}
	_ = c.Close()
	if _, err := other.Read(one); err == nil || broken.Load() != "a" {
		t.Errorf("server a hung up; reading failed with %v, and broken is %v", err, broken.Load())
	}
	_ = other.Close()
	for _, dial := range []struct {
		from *Layer
		to   string
		want string
	}{
		{a, "b-before-it-was-wiped", "the other is gone"},
		{start(t, "c2", "x"), "b", "belongs to cluster c2"},
	} {
		_, err := dial.from.Dial(Address(dial.to, hostPort), time.Second)
		if candor.ReasonOf(err) != candor.ReasonClusterMismatch || !strings.Contains(err.Error(), dial.want) {
			t.Errorf("dial %s: %v, want a refusal that says %q", dial.to, err, dial.want)
		}
	}
}

func TestGarbageAndSilenceAreDropped(t *testing.T) {
	l := start(t, "c1", "a")
	c, err := net.Dial("tcp", l.config.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(strings.Repeat("x", 2*maxHello))); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatalf("read %d bytes, want the connection closed", n)
	}
	_ = c.Close()
}

// echo answers so that an answer can be told from any other.
type echo struct{}

func (echo) Confirm(q Question) Answer {
	return Answer{
		Term: q.Term + 1, Nonce: q.Nonce, Newest: fsm.IndexDigest{Index: q.Audit + 1, Digest: fsm.Digest{byte(q.Nonce)}},
		Audited: fsm.IndexDigest{Index: q.Audit, Digest: fsm.Digest{1, byte(q.Audit)}},
	}
}

func (echo) Prove(_ context.Context, from string, term uint64) Proof {
	return Proof{
		Refusal: candor.ReasonNotLeader, Leader: "to " + from, Term: term, Index: 2, Root: candor.Token{Term: 3, Index: 4, Revision: 5},
		First: 6, Agreed: fsm.IndexDigest{Index: 7, Digest: fsm.Digest{8}},
	}
}
