package identity_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

func TestHowAHandshakeFailedIsExplained(t *testing.T) {
	if identity.Explain(nil) != nil {
		t.Error("nothing failed")
	}
	typed := candor.Errorf(candor.ReasonUnauthenticated, "no certificate")
	if got := identity.Explain(typed); !errors.Is(got, typed) {
		t.Errorf("a refusal became %v", got)
	}
	for _, c := range []struct {
		err    error
		reason candor.Reason
		word   string
	}{
		{&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, candor.ReasonUnauthenticated, "bad certificate"},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, candor.ReasonUnauthenticated, "does not speak TLS"},
		{fmt.Errorf("read: %w", os.ErrDeadlineExceeded), candor.ReasonTimedOut, "in time"},
		{context.DeadlineExceeded, candor.ReasonTimedOut, "in time"},
		{errors.New("tls: client offered only unsupported versions"), candor.ReasonUnauthenticated, "unsupported versions"},
		{io.EOF, candor.ReasonUnavailable, "ended"},
	} {
		got := identity.Explain(c.err)
		says(t, got, c.reason, c.word)
		if !errors.Is(got, c.err) {
			t.Errorf("the cause of %v is lost", got)
		}
	}
}

func TestSomethingElseThanTLSIsExplained(t *testing.T) {
	a := authority(t, "c1", epoch)
	s, _ := open(t, issue(t, a, server("c1", "s1"), year, epoch), epoch)
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	go func() {
		_, _ = there.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		_, _ = io.Copy(io.Discard, there)
	}()
	says(t, identity.Explain(tls.Server(here, s.Server(identity.Serving{})).Handshake()), candor.ReasonUnauthenticated, "does not speak TLS")
}
