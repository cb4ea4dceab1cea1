package identity

import (
	"crypto/tls"

	"github.com/candor-plane/candor"
)

// PeerOf is who the other side of a connection proved to be. The handshake must
// have been under a configuration of [Source], which judged the certificate; PeerOf
// reads it. Errors are UNAUTHENTICATED: the handshake is not complete, or the other
// side has no certificate (see [Anonymous]).
func PeerOf(state *tls.ConnectionState) (candor.Identity, error) {
	if !state.HandshakeComplete {
		return candor.Identity{}, candor.Errorf(candor.ReasonUnauthenticated, "the handshake is not complete: nobody has proved anything yet")
	}
	if Anonymous(state) {
		return candor.Identity{}, candor.Errorf(candor.ReasonUnauthenticated, "the other side has no certificate")
	}
	return identityOf(state.PeerCertificates[0])
}

// Anonymous says that the other side has no certificate, as [CertificateOptional]
// allows.
func Anonymous(state *tls.ConnectionState) bool { return len(state.PeerCertificates) == 0 }
