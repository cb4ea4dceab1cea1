package identity_test

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// Both sides' work of one full mutual handshake, without a network.
func BenchmarkHandshake(b *testing.B) {
	a := authority(b, "c1", epoch)
	s, _ := open(b, issue(b, a, server("c1", "s1"), year, epoch), epoch)
	c, _ := open(b, issue(b, a, client("c1", "ana"), year, epoch), epoch)
	serving := s.Server(identity.Serving{Expect: identity.OneOf(candor.PartyClient)})
	calling := c.Client(anyServer)
	for b.Loop() {
		here, there := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- tls.Server(there, serving).Handshake() }()
		if err := tls.Client(here, calling).Handshake(); err != nil {
			b.Fatal(err)
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		_ = here.Close()
		_ = there.Close()
	}
}

// One look at files that did not change, as every poll takes.
func BenchmarkCheckOfUnchangedFiles(b *testing.B) {
	a := authority(b, "c1", epoch)
	s, _ := open(b, issue(b, a, server("c1", "s1"), year, epoch), epoch)
	for b.Loop() {
		if err := s.Check(); err != nil {
			b.Fatal(err)
		}
	}
}
