package identity_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// Whatever is in the files: no panic, and nothing is accepted that does not stand
// up to a check of its own.
func FuzzParse(f *testing.F) {
	ours, stranger, foreign := authority(f, "c1", epoch), authority(f, "c1", epoch), authority(f, "c2", epoch)
	good := issue(f, ours, server("c1", "s1"), year, epoch)
	f.Add(good.CA, good.Cert, good.Key)
	f.Add(good.CA, []byte(nil), []byte(nil))
	f.Add(bundle(ours, stranger), good.Cert, good.Key)
	f.Add(bundle(ours, foreign), good.Cert, good.Key)
	f.Add(bundle(stranger), good.Cert, good.Key)
	f.Add(good.CA, append(good.Cert, bundle(ours)...), good.Key)
	for _, content := range []identity.Content{
		issue(f, foreign, client("c2", "ana"), year, epoch),
		forge(f, ours, epoch, nil),
		forge(f, ours, epoch, nil, "spiffe://c1/client/a", "spiffe://c1/client/b"),
		forge(f, ours, epoch, func(c *x509.Certificate) { c.NotAfter = epoch.Add(-1) }, "spiffe://c1/client/a"),
	} {
		f.Add(content.CA, content.Cert, content.Key)
	}
	f.Fuzz(func(t *testing.T, ca, cert, key []byte) {
		m, err := identity.Parse(identity.Content{CA: ca, Cert: cert, Key: key}, epoch)
		if err != nil {
			if reason := candor.ReasonOf(err); reason != candor.ReasonInvalid && reason != candor.ReasonClusterMismatch || m != nil {
				t.Fatalf("refused with %v, %v", m, err)
			}
			return
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) || len(m.Authorities) == 0 {
			t.Fatal("no authority")
		}
		for _, a := range m.Authorities {
			if !a.IsCA || len(a.URIs) != 1 || a.URIs[0].String() != "spiffe://"+m.Cluster {
				t.Fatalf("trusts %v in cluster %s", a.URIs, m.Cluster)
			}
		}
		if m.Certificate == nil {
			if len(cert)+len(key) > 0 || m.Self != (candor.Identity{}) {
				t.Fatal("a certificate was overlooked")
			}
			return
		}
		if _, err = tls.X509KeyPair(cert, key); err != nil {
			t.Fatal(err)
		}
		own := m.Certificate.Leaf
		if len(own.URIs) != 1 || own.URIs[0].String() != m.Self.URI() || m.Self.Cluster != m.Cluster {
			t.Fatalf("%v is %s", own.URIs, m.Self.URI())
		}
		intermediates := x509.NewCertPool()
		intermediates.AppendCertsFromPEM(cert)
		if _, err = own.Verify(x509.VerifyOptions{Roots: pool, Intermediates: intermediates, CurrentTime: epoch, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Fatal(err)
		}
	})
}

// One changed byte of a certificate, anywhere, makes it nobody's.
func FuzzATamperedCertificate(f *testing.F) {
	a := authority(f, "c1", epoch)
	good := issue(f, a, server("c1", "s1"), year, epoch, "localhost")
	der := leaf(f, good.Cert).Raw
	for at := range der {
		f.Add(uint16(at), byte(1))
		f.Add(uint16(at), byte(0x80))
	}
	f.Fuzz(func(t *testing.T, at uint16, flip byte) {
		if flip == 0 {
			return
		}
		tampered := append([]byte(nil), der...)
		tampered[int(at)%len(der)] ^= flip
		content := good
		content.Cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tampered})
		if m, err := identity.Parse(content, epoch); err == nil {
			t.Fatalf("byte %d changed by %x: taken for %s", int(at)%len(der), flip, m.Self.URI())
		}
	})
}
