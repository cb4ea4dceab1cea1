package identity_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// A server's listener for other servers, and a call to it.
func Example() {
	dir, err := os.MkdirTemp("", "tls")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	authority, err := identity.NewAuthority("c1", 24*time.Hour, time.Now())
	if err != nil {
		panic(err)
	}
	own := func(name string) *identity.Source {
		id := candor.Identity{Cluster: authority.Cluster(), Party: candor.PartyServer, Name: name}
		cert, key, err := authority.Issue(id, time.Hour, time.Now(), nil)
		if err != nil {
			panic(err)
		}
		files := identity.Files{CA: dir + "/ca.crt", Cert: dir + "/" + name + ".crt", Key: dir + "/" + name + ".key"}
		if err = identity.WriteFiles(files, identity.Content{CA: authority.CertPEM(), Cert: cert, Key: key}); err != nil {
			panic(err)
		}
		source, err := identity.Open(files, identity.Options{Logger: hclog.NewNullLogger(), Self: identity.Exactly(candor.PartyServer, name)})
		if err != nil {
			panic(err)
		}
		return source
	}
	s1, s2 := own("s1"), own("s2")
	defer func() { _, _ = s1.Close(), s2.Close() }()

	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	listener := tls.NewListener(inner, s1.Server(identity.Serving{
		Demand:  identity.CertificateRequired,
		Expect:  identity.OneOf(candor.PartyServer),
		Refused: func(remote string, err error) { fmt.Println("refused", remote, err) },
	}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		secure, _ := conn.(*tls.Conn)
		if err = secure.Handshake(); err != nil {
			fmt.Println(identity.Explain(err))
			return
		}
		state := secure.ConnectionState()
		id, err := identity.PeerOf(&state)
		fmt.Println("called by", id.Actor(), err)
	}()

	conn, err := tls.Dial("tcp", inner.Addr().String(), s2.Client(identity.Exactly(candor.PartyServer, "s1")))
	if err != nil {
		panic(identity.Explain(err))
	}
	<-done
	_ = conn.Close()
	_ = listener.Close()
	// Output: called by server/s2 <nil>
}
