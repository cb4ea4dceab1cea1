package integration

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
)

// hold answers at l with a certificate and hangs up after each handshake. It
// returns who came last, which nobody judged. The test's cleanup ends it.
func hold(t *testing.T, l net.Listener, certificate tls.Certificate) *visitor {
	t.Helper()
	v := &visitor{}
	var wait sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wait.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer func() { _ = raw.Close() }()
				c := tls.Server(raw, &tls.Config{
					MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate},
					NextProtos: []string{"h2"}, ClientAuth: tls.RequestClientCert,
				})
				if c.HandshakeContext(ctx) == nil {
					v.came(c.ConnectionState())
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		wait.Wait()
	})
	return v
}

// visitor is who came last.
type visitor struct {
	mu    sync.Mutex
	state *tls.ConnectionState
}

func (v *visitor) came(state tls.ConnectionState) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state = &state
}

// last is nil while nobody came.
func (v *visitor) last() *tls.ConnectionState {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state
}
