package integration

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/candor-plane/candor/identity"
)

// forge makes certificates that the command line would not. A nil parent is
// itself. Without a change the certificate is as good as an issued one.
func forge(t *testing.T, parent *tls.Certificate, change func(*x509.Certificate), uris ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "forged"},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, text := range uris {
		uri, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = append(template.URIs, uri)
	}
	if change != nil {
		change(template)
	}
	above, signer := template, any(key)
	if parent != nil {
		above, signer = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, above, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// pair reads a certificate and its key.
func pair(t *testing.T, cert, key string) tls.Certificate {
	t.Helper()
	p, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// issuing is the authority with its key, as whoever stole the folder has it.
func (g *guarded) issuing() *tls.Certificate {
	g.t.Helper()
	p := pair(g.t, filepath.Join(g.folder, "ca.crt"), filepath.Join(g.folder, "ca.key"))
	return &p
}

// uri is the identity that a party's certificate says.
func (g *guarded) uri(name string) string {
	g.t.Helper()
	files := g.files(name)
	return pair(g.t, files.Cert, files.Key).Leaf.URIs[0].String()
}

// presenting is how a stranger dials: it takes whoever answers, and shows its
// certificate whatever authorities the other side names.
func presenting(certificate tls.Certificate, protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols,
		InsecureSkipVerify:   true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil },
	}
}

// knock dials, and reads until the other side says something. It returns the
// address that it came from, whom it met, and how the connection ended: in TLS 1.3
// a refusal is heard at the first read.
func knock(ctx context.Context, address string, config *tls.Config) (from string, met tls.ConnectionState, err error) {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", met, err
	}
	defer func() { _ = raw.Close() }()
	if err := raw.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", met, err
	}
	from = raw.LocalAddr().String()
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return from, met, identity.Explain(err)
	}
	met = c.ConnectionState()
	_, err = c.Read(make([]byte, 1))
	return from, met, identity.Explain(err)
}
