package identity

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
)

// errOtherCluster is under the refusal of another cluster's certificate.
var errOtherCluster = errors.New("another cluster's certificate")

// judge says who the first certificate of chain proves its holder to be, for that
// usage at that time. The error has reason UNAUTHENTICATED. Names in it are what
// the certificate claims: who wrote it may be anybody.
//
// What a person would fix first is looked at first; all of it must hold.
func (m *Material) judge(chain []*x509.Certificate, usage x509.ExtKeyUsage, now time.Time) (candor.Identity, error) {
	leaf := chain[0]
	if len(chain) > maxChain {
		return candor.Identity{}, refuse(leaf, "%s comes with %d more; at most %d are looked at", describe(leaf), len(chain)-1, maxChain-1)
	}
	claimed, err := identityOf(leaf)
	if err != nil {
		return candor.Identity{}, err
	}
	if claimed.Cluster != m.Cluster {
		return claimed, refuse(leaf, "%s is of cluster %s; this is cluster %s: the address or the certificate is wrong: %w",
			describe(leaf), claimed.Cluster, m.Cluster, errOtherCluster)
	}
	if err = inTime(leaf, now, candor.ReasonUnauthenticated, "issue a new one"); err != nil {
		return claimed, refuse(leaf, "%s", messageOf(err))
	}
	if err = checkUsage(leaf, usage); err != nil {
		return claimed, err
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: m.Pool, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return claimed, m.unverified(leaf, now, err)
	}
	return claimed, nil
}

// identityOf reads the certificate's one URI SAN.
func identityOf(leaf *x509.Certificate) (candor.Identity, error) {
	if len(leaf.URIs) != 1 {
		return candor.Identity{}, refuse(leaf, "%s has %d URI SANs; want exactly one, spiffe://CLUSTER/PARTY/NAME", describe(leaf), len(leaf.URIs))
	}
	claimed, err := candor.ParseIdentity(leaf.URIs[0].String())
	if err != nil {
		return candor.Identity{}, refuse(leaf, "%s does not say who it is: %s", describe(leaf), messageOf(err))
	}
	return claimed, nil
}

// checkUsage wants the usage said: a certificate that says none would be good for
// all of them.
func checkUsage(leaf *x509.Certificate, usage x509.ExtKeyUsage) error {
	if leaf.IsCA {
		return refuse(leaf, "%s is an authority's; want a party's", describe(leaf))
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return refuse(leaf, "%s may not sign handshakes; want the key usage digitalSignature", describe(leaf))
	}
	if !slices.Contains(leaf.ExtKeyUsage, usage) {
		return refuse(leaf, "%s may not be used to %s; want the extended key usage %s", describe(leaf), deed(usage), usageName(usage))
	}
	return nil
}

func deed(usage x509.ExtKeyUsage) string {
	if usage == x509.ExtKeyUsageServerAuth {
		return "serve"
	}
	return "call"
}

func usageName(usage x509.ExtKeyUsage) string {
	if usage == x509.ExtKeyUsageServerAuth {
		return "serverAuth"
	}
	return "clientAuth"
}

// unverified says why no chain was found: an authority that is there and out of
// its time, or one that is not there.
func (m *Material) unverified(leaf *x509.Certificate, now time.Time, err error) error {
	for _, authority := range m.Authorities {
		if leaf.CheckSignatureFrom(authority) != nil {
			continue
		}
		if late := inTime(authority, now, candor.ReasonUnauthenticated, "replace the authority"); late != nil {
			return refuse(leaf, "%s cannot be verified: its authority's %s", describe(leaf), messageOf(late))
		}
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return refuse(leaf, "%s is signed by an authority that is not trusted here (%s); want one of %s: issue the certificate anew, or add its authority to the bundle",
			describe(leaf), quoted(leaf.Issuer.String()), m.trusted())
	}
	return refuse(leaf, "%s cannot be verified: %w", describe(leaf), err)
}

// trusted names the authorities, not all of a long list.
func (m *Material) trusted() string {
	const most = 4
	var names []string
	for _, authority := range m.Authorities[:min(len(m.Authorities), most)] {
		names = append(names, quoted(authority.Subject.String())+" ("+Fingerprint(authority)[:16]+")")
	}
	if len(m.Authorities) > most {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// refuse is the error about a certificate that proves nothing.
func refuse(leaf *x509.Certificate, format string, args ...any) *candor.Error {
	err := candor.Errorf(candor.ReasonUnauthenticated, format, args...)
	if len(leaf.URIs) > 0 {
		err.Subject = clip(leaf.URIs[0].String())
	}
	return err
}
