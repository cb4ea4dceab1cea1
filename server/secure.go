package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/server/audit"
	"github.com/candor-plane/candor/server/auth"
)

// How this server proves who it is, and has others prove it.

// openIdentity loads the certificates, which must be this server's.
func (s *Server) openIdentity() error {
	if s.config.TLS.CA == "" {
		return nil
	}
	own, err := identity.Open(s.config.TLS, identity.Options{
		Poll: s.config.TLSPoll, Logger: s.logger.Named("identity"), Self: identity.Exactly(candor.PartyServer, s.serverID),
	})
	if err != nil {
		return candor.Wrap("--tls-cert", err)
	}
	s.own = own
	if cluster := own.Material().Cluster; s.clusterID != "" && s.clusterID != cluster {
		return candor.Errorf(candor.ReasonDataForeign, "data directory %s belongs to cluster %s; --tls-cert is of cluster %s", s.config.Data, s.clusterID, cluster)
	}
	return nil
}

func (s *Server) closeIdentity() {
	if s.own != nil {
		_ = s.own.Close()
	}
}

// refusedHandshake is told of certificates that prove nothing.
func (s *Server) refusedHandshake(listener string) func(remote string, err error) {
	return func(remote string, err error) {
		s.handshakesRefused.Add(1)
		if s.audit != nil {
			method := audit.MethodTLSHandshake
			if listener == "raft" {
				method = audit.MethodRaftHandshake
			}
			s.audit.Handshake(audit.Record{
				Actor: candor.ActorAnonymous, AuthenticatedBy: audit.ByNone, Source: remote, Method: method, Verdict: audit.Denied,
				Reason: candor.ReasonOf(err), Message: err.Error(),
			})
		}
		s.logger.Warn("handshake refused", "listener", listener, "from", remote, "why", err)
	}
}

const (
	// connectionAge is how long a client's connection is used before it is asked to
	// make another; streams may go on for connectionGrace.
	connectionAge   = time.Hour
	connectionGrace = 5 * time.Minute
)

// secureAPI are the options by which the API proves who it is and who calls.
func (s *Server) secureAPI() []grpc.ServerOption {
	alive := keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}
	if s.own == nil {
		return []grpc.ServerOption{grpc.KeepaliveParams(alive), grpc.ConnectionTimeout(handshakeTimeout)}
	}
	alive.MaxConnectionAge, alive.MaxConnectionAgeGrace = connectionAge, connectionGrace
	return []grpc.ServerOption{
		grpc.KeepaliveParams(alive), grpc.ConnectionTimeout(handshakeTimeout),
		grpc.Creds(auth.Transport(s.own.Server(identity.Serving{Demand: identity.CertificateOptional, NextProtos: []string{"h2"}}), s.refusedHandshake("api"))),
	}
}

// handshakeTimeout is how long a caller may take to say who it is.
const handshakeTimeout = 5 * time.Second

// secureDebug is for the debug listener; nil without certificates.
func (s *Server) secureDebug() *tls.Config {
	if s.own == nil {
		return nil
	}
	return s.own.Server(identity.Serving{Demand: identity.CertificateOptional, Refused: s.refusedHandshake("debug"), NextProtos: []string{"h2", "http/1.1"}})
}

// toServers is how connections to other servers' APIs prove who is there.
func (s *Server) toServers() credentials.TransportCredentials {
	if s.own == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(s.own.Client(identity.OneOf(candor.PartyServer), "h2"))
}

// secureLink proves which servers are at the ends of a link.
type secureLink struct{ s *Server }

func (l secureLink) Client(ctx context.Context, c net.Conn, serverID string) (net.Conn, error) {
	t := tls.Client(c, l.s.own.Client(identity.Exactly(candor.PartyServer, serverID)))
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, identity.Explain(err)
	}
	return t, nil
}

func (l secureLink) Server(ctx context.Context, c net.Conn) (net.Conn, string, error) {
	t := tls.Server(c, l.s.own.Server(identity.Serving{
		Demand: identity.CertificateRequired, Expect: identity.OneOf(candor.PartyServer),
	}))
	if err := t.HandshakeContext(ctx); err != nil {
		err = identity.Explain(err)
		if !errors.Is(err, io.EOF) { // who only looked in is not told of
			l.s.refusedHandshake("raft")(c.RemoteAddr().String(), err)
		}
		return nil, "", err
	}
	state := t.ConnectionState()
	peer, err := identity.PeerOf(&state)
	return t, peer.Name, err
}
