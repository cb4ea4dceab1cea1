package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"github.com/candor-plane/candor"
)

// Material is what a party proves itself and judges others with, as it was in the
// files at one moment. It does not change; readers share it.
type Material struct {
	// Self is who our certificate says we are; zero without a certificate.
	Self candor.Identity
	// Cluster is whose authorities we trust.
	Cluster string
	// Certificate is ours, with its key; nil without one.
	Certificate *tls.Certificate
	Pool        *x509.CertPool
	Authorities []*x509.Certificate
	// NotAfter ends our certificate, or without one the last of the authorities.
	NotAfter time.Time
	// Warnings are for people: what works and should not be left so.
	Warnings []string
}

// errUnpaired is under the error of a key that is not the certificate's: among
// other things what a pair looks like while it is written.
var errUnpaired = errors.New("the key does not belong to the certificate")

// Load reads and checks the files whole: shape, that the key is the certificate's,
// that it leads to one of the authorities at that time, says who we are in exactly
// one URI SAN, and is of the authorities' cluster. Errors: NOT_FOUND for a missing
// file, CLUSTER_MISMATCH, and INVALID for anything else; each says what to do.
func Load(files Files, now time.Time) (*Material, error) {
	content, mode, err := files.read()
	if err != nil {
		return nil, err
	}
	return files.parse(content, warnMode(files.Key, mode), now)
}

// parse is Parse with the names of the files in the error.
func (f Files) parse(content Content, warnings []string, now time.Time) (*Material, error) {
	if f.Cert != "" && len(content.Cert) == 0 && len(content.Key) == 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "TLS files %s and %s are empty; want a certificate and its key, or name no files", f.Cert, f.Key)
	}
	m, err := Parse(content, now)
	if err != nil {
		return nil, candor.Wrap("TLS files "+f.list(), err)
	}
	m.Warnings = append(m.Warnings, warnings...)
	return m, nil
}

func (f Files) list() string {
	if f.Cert == "" {
		return f.CA
	}
	return f.CA + ", " + f.Cert + ", " + f.Key
}

// Parse is Load of what the files hold.
func Parse(content Content, now time.Time) (*Material, error) {
	cluster, authorities, err := ParseAuthorities(content.CA)
	if err != nil {
		return nil, err
	}
	m := &Material{Cluster: cluster, Authorities: authorities, Pool: x509.NewCertPool()}
	for _, authority := range authorities {
		m.Pool.AddCert(authority)
	}
	if err = m.checkAuthorities(now); err != nil {
		return nil, err
	}
	if len(content.Cert) == 0 && len(content.Key) == 0 {
		m.NotAfter = m.lastAuthority().NotAfter
		return m, nil
	}
	if err = m.addOwn(content, now); err != nil {
		return nil, err
	}
	return m, nil
}

// checkAuthorities wants one that is valid, and warns of the others.
func (m *Material) checkAuthorities(now time.Time) error {
	var first error
	for _, authority := range m.Authorities {
		err := inTime(authority, now, candor.ReasonInvalid, "put a valid authority into the bundle, or take this one out")
		if err == nil {
			continue
		}
		m.Warnings = append(m.Warnings, messageOf(err))
		if first == nil {
			first = err
		}
	}
	if len(m.Warnings) == len(m.Authorities) {
		return first
	}
	return nil
}

// lastAuthority is the one that ends last.
func (m *Material) lastAuthority() *x509.Certificate {
	last := m.Authorities[0]
	for _, authority := range m.Authorities {
		if authority.NotAfter.After(last.NotAfter) {
			last = authority
		}
	}
	return last
}

// addOwn checks our own certificate as strictly as others will.
func (m *Material) addOwn(content Content, now time.Time) error {
	chain, err := parseCertificates("certificate", content.Cert, maxChain)
	if err != nil {
		return err
	}
	key, err := parseKey(content.Key)
	if err != nil {
		return err
	}
	leaf := chain[0]
	if !belongs(key, leaf) {
		return candor.Errorf(candor.ReasonInvalid, "the private key does not belong to %s: it has another public key; put the pair that was issued together into the files: %w", describe(leaf), errUnpaired)
	}
	self, err := m.judge(chain, x509.ExtKeyUsageClientAuth, now)
	if err == nil && self.Party == candor.PartyServer {
		_, err = m.judge(chain, x509.ExtKeyUsageServerAuth, now)
	}
	if err != nil {
		return &candor.Error{Reason: ownReason(err), Subject: self.URI(), Message: "our own " + messageOf(err), Err: err}
	}
	own := &tls.Certificate{PrivateKey: key, Leaf: leaf}
	for _, certificate := range chain {
		own.Certificate = append(own.Certificate, certificate.Raw)
	}
	m.Self, m.Certificate, m.NotAfter = self, own, leaf.NotAfter
	return nil
}

// ownReason: what others would refuse as unauthenticated is a file to correct here.
func ownReason(err error) candor.Reason {
	if errors.Is(err, errOtherCluster) {
		return candor.ReasonClusterMismatch
	}
	return candor.ReasonInvalid
}

func messageOf(err error) string {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e.Message
	}
	return err.Error()
}
