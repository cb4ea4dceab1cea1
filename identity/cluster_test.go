package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// epoch is when the tests' certificates are made, where the clock is the test's.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

func server(cluster, name string) candor.Identity {
	return candor.Identity{Cluster: cluster, Party: candor.PartyServer, Name: name}
}

func worker(cluster, name string) candor.Identity {
	return candor.Identity{Cluster: cluster, Party: candor.PartyWorker, Name: name}
}

func client(cluster, name string) candor.Identity {
	return candor.Identity{Cluster: cluster, Party: candor.PartyClient, Name: name}
}

func authority(t testing.TB, cluster string, now time.Time) *identity.Authority {
	t.Helper()
	a, err := identity.NewAuthority(cluster, 10*year, now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t testing.TB, a *identity.Authority, id candor.Identity, validFor time.Duration, now time.Time, addresses ...string) identity.Content {
	t.Helper()
	cert, key, err := a.Issue(id, validFor, now, addresses)
	if err != nil {
		t.Fatal(err)
	}
	return identity.Content{CA: a.CertPEM(), Cert: cert, Key: key}
}

func bundle(authorities ...*identity.Authority) []byte {
	var all []byte
	for _, a := range authorities {
		all = append(all, a.CertPEM()...)
	}
	return all
}

func filesIn(dir string) identity.Files {
	return identity.Files{CA: filepath.Join(dir, "ca.crt"), Cert: filepath.Join(dir, "own.crt"), Key: filepath.Join(dir, "own.key")}
}

func write(t testing.TB, files identity.Files, content identity.Content) {
	t.Helper()
	if err := identity.WriteFiles(files, content); err != nil {
		t.Fatal(err)
	}
}

// open is a source of the content whose clock stands at now.
func open(t testing.TB, content identity.Content, now time.Time) (*identity.Source, identity.Files) {
	t.Helper()
	files := filesIn(t.TempDir())
	write(t, files, content)
	if len(content.Cert) == 0 {
		files.Cert, files.Key = "", ""
	}
	source, err := identity.Open(files, identity.Options{Logger: hclog.NewNullLogger(), Poll: time.Hour, Now: at(now)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	return source, files
}

func leaf(t testing.TB, certPEM []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(certPEM)
	if block == nil {
		t.Fatal("no PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// forge signs with an authority's key what Issue would not.
func forge(t testing.TB, a *identity.Authority, now time.Time, change func(*x509.Certificate), uris ...string) identity.Content {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(day),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, uri := range uris {
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = append(template.URIs, u)
	}
	if change != nil {
		change(template)
	}
	block, _ := pem.Decode(a.KeyPEM())
	signer, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.Certificate(), &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return identity.Content{
		CA:   a.CertPEM(),
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
}

// says fails unless err has the reason and its text all of the words.
func says(t testing.TB, err error, reason candor.Reason, words ...string) {
	t.Helper()
	if candor.ReasonOf(err) != reason {
		t.Errorf("got %v; want reason %s", err, reason)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the message does not say %q: %v", word, err)
		}
	}
}
