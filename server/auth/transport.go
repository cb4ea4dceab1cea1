package auth

import (
	"crypto/tls"
	"errors"
	"io"
	"net"

	"google.golang.org/grpc/credentials"

	"github.com/candor-plane/candor/identity"
)

// Transport is how the API speaks TLS: who is at the other end is found out once,
// when the connection is made, and whoever fails the handshake is told of to
// refused. A connection that ends before it said anything is not: balancers look
// in that way.
func Transport(config *tls.Config, refused func(remote string, err error)) credentials.TransportCredentials {
	if config == nil || refused == nil {
		panic("auth: a transport needs a configuration and somebody to tell")
	}
	return &transport{credentials.NewTLS(config), refused}
}

type transport struct {
	credentials.TransportCredentials
	refused func(remote string, err error)
}

func (t *transport) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := t.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		err = identity.Explain(err)
		if !errors.Is(err, io.EOF) {
			t.refused(raw.RemoteAddr().String(), err)
		}
		return nil, nil, err
	}
	of, ok := info.(credentials.TLSInfo)
	if !ok {
		return secured, info, nil
	}
	return secured, connection{of, shownOn(&of.State)}, nil
}

func (t *transport) Clone() credentials.TransportCredentials {
	return &transport{t.TransportCredentials.Clone(), t.refused}
}

// connection is one that TLS secures, with what its other end showed.
type connection struct {
	credentials.TLSInfo
	shown *certificate
}

// certificate is what a party showed.
type certificate struct {
	actor string
	err   error
}

// shownOn is nil where no certificate was shown.
func shownOn(state *tls.ConnectionState) *certificate {
	if state == nil || identity.Anonymous(state) {
		return nil
	}
	who, err := identity.PeerOf(state)
	if err != nil {
		return &certificate{err: err}
	}
	return &certificate{actor: who.Actor()}
}
