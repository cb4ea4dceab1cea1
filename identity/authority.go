package identity

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"net/url"
	"time"

	"github.com/candor-plane/candor"
)

// skew is how far in the past what is issued begins: clocks differ.
const skew = 5 * time.Minute

// Authority issues the certificates of one cluster. It does not change, and may be
// used concurrently.
type Authority struct {
	cluster     string
	certificate *x509.Certificate
	key         crypto.Signer
	certPEM     []byte
	keyPEM      []byte
}

// NewAuthority makes a key and signs its certificate with it. Its own certificate
// signs parties alone, no further authorities. The error has reason INVALID.
func NewAuthority(cluster string, validFor time.Duration, now time.Time) (*Authority, error) {
	if err := candor.CheckTrustDomain(cluster); err != nil {
		return nil, err
	}
	if validFor <= 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "an authority valid for %s: want a positive time", validFor)
	}
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, err
	}
	serial := newSerial()
	template := &x509.Certificate{
		SerialNumber: serial,
		// Authorities that follow one another differ in name: some tools find
		// issuers by nothing else.
		Subject: pkix.Name{
			Organization: []string{cluster},
			CommonName:   "candor authority " + hex.EncodeToString(serial.Bytes()[:4]),
		},
		URIs:                  []*url.URL{{Scheme: "spiffe", Host: cluster}},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(validFor),
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, candor.Wrap("sign the authority's certificate", err)
	}
	return LoadAuthority(encodeCertificate(der), keyPEM)
}

// LoadAuthority reads an authority: one certificate and its key. The error has
// reason INVALID. It does not look at the time: Issue does.
func LoadAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	cluster, certificates, err := ParseAuthorities(certPEM)
	if err != nil {
		return nil, err
	}
	if len(certificates) != 1 {
		return nil, candor.Errorf(candor.ReasonInvalid, "authority: %d certificates; want the one that the key belongs to", len(certificates))
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, err
	}
	certificate := certificates[0]
	if !belongs(key, certificate) {
		return nil, candor.Errorf(candor.ReasonInvalid, "authority: the private key does not belong to %s; name the pair that was made together: %w", describe(certificate), errUnpaired)
	}
	return &Authority{
		cluster: cluster, certificate: certificate, key: key,
		certPEM: encodeCertificate(certificate.Raw), keyPEM: keyPEM,
	}, nil
}

// Cluster is whose authority it is.
func (a *Authority) Cluster() string { return a.cluster }

// Certificate is its own; it is not to be changed.
func (a *Authority) Certificate() *x509.Certificate { return a.certificate }

// CertPEM is its certificate, as bundles hold it.
func (a *Authority) CertPEM() []byte { return append([]byte(nil), a.certPEM...) }

// KeyPEM is its private key: whoever has it is every party of the cluster.
func (a *Authority) KeyPEM() []byte { return append([]byte(nil), a.keyPEM...) }

// newSerial draws a positive number of 128 bits, all of them used.
func newSerial() *big.Int {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // never fails
	serial[0] |= 0x80
	return new(big.Int).SetBytes(serial)
}
