package identity

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/candor-plane/candor"
)

// Client is the configuration of whoever calls a server: TLS 1.3, our certificate
// if we have one, and the answering party judged by the authorities of the moment
// and then by expect. Only servers of the cluster may answer, whatever expect says;
// host names play no part. The configuration need never be replaced. expect is
// called concurrently.
func (s *Source) Client(expect func(candor.Identity) error, nextProtos ...string) *tls.Config {
	if expect == nil {
		panic("identity: Client needs to know whom to expect; OneOf(candor.PartyServer) is any server of the cluster")
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             nextProtos,
		SessionTicketsDisabled: true,
		Time:                   s.now,
		InsecureSkipVerify:     true, //nolint:gosec // VerifyConnection judges chain, time, use and identity; what is skipped is the host name
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			// Sent whatever authorities the server names: its refusal says more than
			// our silence would.
			if own := s.Material().Certificate; own != nil {
				return own, nil
			}
			return &tls.Certificate{}, nil
		},
		VerifyConnection: func(state tls.ConnectionState) error {
			return s.recognise(expect, &state)
		},
	}
}

func (s *Source) recognise(expect func(candor.Identity) error, state *tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return candor.Errorf(candor.ReasonUnauthenticated, "the server has no certificate")
	}
	id, err := s.Material().judge(state.PeerCertificates, x509.ExtKeyUsageServerAuth, s.now())
	if err != nil {
		return err
	}
	if err = OneOf(candor.PartyServer)(id); err != nil {
		return unexpected(id, err)
	}
	return unexpected(id, expect(id))
}
