package identity

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/candor-plane/candor"
)

// Demand is what a server wants of those who call.
type Demand int

const (
	// CertificateRequired refuses whoever has no certificate.
	CertificateRequired Demand = iota
	// CertificateOptional lets them in, for a token or as anonymous; a certificate
	// that proves nothing is refused all the same.
	CertificateOptional
)

// Serving is how one listener serves. The functions are called concurrently, in
// handshakes, and must not block.
type Serving struct {
	Demand Demand
	// Expect says which parties may come, by an error for the others; nil for all of
	// the cluster. It is asked about a claim: the handshake goes on to prove that the
	// caller has the key.
	Expect func(candor.Identity) error
	// Refused is told of every certificate, or lack of one, that is refused, and
	// whence; nil for nobody. The error is a candor.Error whose Subject is what the
	// certificate claims. The same error comes from the handshake: whoever runs it
	// and is told here too counts those that are no candor.Error (see [Explain]).
	Refused func(remote string, err error)
	// NextProtos are the application protocols, by preference.
	NextProtos []string
}

// Server is the configuration of a listener: TLS 1.3, our certificate, and callers
// judged by the authorities of the moment. Every connection takes what is current,
// so the configuration need never be replaced. It panics if the source is without
// a server's certificate: see [Options].Self, which finds that in a file.
func (s *Source) Server(o Serving) *tls.Config {
	if self := s.Material().Self; self.Party != candor.PartyServer {
		panic("identity: to serve takes a server's certificate, and this is of " + string(self.Party))
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             o.NextProtos,
		SessionTicketsDisabled: true,
		// Without this function the configuration has no certificate and serves nobody.
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			remote := hello.Conn.RemoteAddr().String()
			return s.serve(o, remote), nil
		},
	}
}

// serve is the configuration of one connection.
func (s *Source) serve(o Serving, remote string) *tls.Config {
	m := s.Material()
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             o.NextProtos,
		SessionTicketsDisabled: true,
		Time:                   s.now,
		Certificates:           []tls.Certificate{*m.Certificate},
		// Asked for and judged below, at the end, so that every refusal is typed,
		// told, and by what is in the files then.
		ClientAuth: tls.RequestClientCert,
		ClientCAs:  m.Pool, // names the authorities to tools that choose by them
		VerifyConnection: func(state tls.ConnectionState) error {
			err := s.admit(o, &state)
			if err != nil && o.Refused != nil {
				o.Refused(remote, err)
			}
			return err
		},
	}
}

func (s *Source) admit(o Serving, state *tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		if o.Demand == CertificateOptional {
			return nil
		}
		return candor.Errorf(candor.ReasonUnauthenticated, "no certificate: this listener is for parties of cluster %s that have one", s.Material().Cluster)
	}
	id, err := s.Material().judge(state.PeerCertificates, x509.ExtKeyUsageClientAuth, s.now())
	if err != nil || o.Expect == nil {
		return err
	}
	return unexpected(id, o.Expect(id))
}

// unexpected is the refusal of a party that is who it says, and not who may be
// here; nil for nil.
func unexpected(id candor.Identity, err error) error {
	if err == nil {
		return nil
	}
	return &candor.Error{Reason: candor.ReasonUnauthenticated, Subject: id.URI(), Message: messageOf(err), Err: err}
}
