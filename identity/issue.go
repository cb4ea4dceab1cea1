package identity

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/candor-plane/candor"
)

// maxCommonName is X.509's bound.
const maxCommonName = 64

// Issue makes a key and a certificate that its holder is id, from a little before
// now for validFor, and never beyond the authority itself. A server's may serve and
// call, others' may only call. Addresses (host names and IPs without ports) are for
// servers: parties of the cluster do not look at them, tools such as curl do. The
// error has reason INVALID, or CLUSTER_MISMATCH for an identity of another cluster.
func (a *Authority) Issue(id candor.Identity, validFor time.Duration, now time.Time, addresses []string) (certPEM, keyPEM []byte, err error) {
	template, err := a.template(id, validFor, now)
	if err != nil {
		return nil, nil, err
	}
	if err = addAddresses(template, id, addresses); err != nil {
		return nil, nil, err
	}
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, nil, candor.Wrap("sign the certificate of "+id.URI(), err)
	}
	return encodeCertificate(der), keyPEM, nil
}

func (a *Authority) template(id candor.Identity, validFor time.Duration, now time.Time) (*x509.Certificate, error) {
	if err := id.Check(); err != nil {
		return nil, err
	}
	if id.Cluster != a.cluster {
		return nil, candor.Errorf(candor.ReasonClusterMismatch, "%s is of cluster %s; this authority issues for cluster %s", id.URI(), id.Cluster, a.cluster)
	}
	if validFor <= 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "a certificate for %s valid for %s: want a positive time", id.URI(), validFor)
	}
	if err := inTime(a.certificate, now, candor.ReasonInvalid, "make a new authority"); err != nil {
		return nil, err
	}
	uri, err := url.Parse(id.URI())
	if err != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "identity %s: %w", id.URI(), err)
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{Organization: []string{id.Cluster}},
		URIs:         []*url.URL{uri},
		NotBefore:    later(now.Add(-skew), a.certificate.NotBefore),
		NotAfter:     earlier(now.Add(validFor), a.certificate.NotAfter),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		// Says that it is no authority, rather than nothing.
		BasicConstraintsValid: true,
	}
	if actor := id.Actor(); len(actor) <= maxCommonName {
		template.Subject.CommonName = actor
	}
	if id.Party == candor.PartyServer {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	return template, nil
}

func addAddresses(template *x509.Certificate, id candor.Identity, addresses []string) error {
	if len(addresses) > 0 && id.Party != candor.PartyServer {
		return candor.Errorf(candor.ReasonInvalid, "%s: addresses are for the certificates of servers, which others call; leave them out", id.URI())
	}
	for _, address := range addresses {
		ip, err := netip.ParseAddr(address)
		if err == nil && ip.Zone() == "" {
			template.IPAddresses = append(template.IPAddresses, net.IP(ip.Unmap().AsSlice()))
			continue
		}
		if err := candor.CheckName("address", address); err != nil {
			return candor.Errorf(candor.ReasonInvalid, "%s: %s: want host names and IP addresses, without ports", id.URI(), messageOf(err))
		}
		template.DNSNames = append(template.DNSNames, address)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
