package identity_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

func TestAnAuthorityIsReadBackAsItWasMade(t *testing.T) {
	made := authority(t, "c1", epoch)
	read, err := identity.LoadAuthority(made.CertPEM(), made.KeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	if read.Cluster() != "c1" || !read.Certificate().Equal(made.Certificate()) {
		t.Errorf("read the authority of %s", read.Cluster())
	}
	c := read.Certificate()
	if !c.IsCA || !c.MaxPathLenZero || c.MaxPathLen != 0 || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
		t.Errorf("may do something else than sign parties: %+v", c.KeyUsage)
	}
	if len(c.URIs) != 1 || c.URIs[0].String() != "spiffe://c1" {
		t.Errorf("is of %v", c.URIs)
	}
	if err = c.CheckSignatureFrom(c); err != nil {
		t.Errorf("is not signed by itself: %v", err)
	}
	if _, err = identity.LoadAuthority(made.CertPEM(), authority(t, "c1", epoch).KeyPEM()); err == nil {
		t.Error("another authority's key was taken")
	}
	if _, err = identity.LoadAuthority(bundle(made, authority(t, "c1", epoch)), made.KeyPEM()); err == nil {
		t.Error("a bundle was taken for one authority")
	}
}

func TestAuthoritiesOfOneClusterDifferInNameAndSerial(t *testing.T) {
	a, b := authority(t, "c1", epoch).Certificate(), authority(t, "c1", epoch).Certificate()
	if a.Subject.String() == b.Subject.String() || a.SerialNumber.Cmp(b.SerialNumber) == 0 {
		t.Errorf("%s and %s", a.Subject, b.Subject)
	}
	if bits := a.SerialNumber.BitLen(); bits != 128 {
		t.Errorf("a serial number of %d bits", bits)
	}
}

func TestOnlyServersMayServe(t *testing.T) {
	a := authority(t, "c1", epoch)
	for id, want := range map[candor.Identity][]x509.ExtKeyUsage{
		server("c1", "s1"): {x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		worker("c1", "w1"): {x509.ExtKeyUsageClientAuth},
		client("c1", "an"): {x509.ExtKeyUsageClientAuth},
	} {
		c := leaf(t, issue(t, a, id, day, epoch).Cert)
		if !slices.Equal(c.ExtKeyUsage, want) || c.KeyUsage != x509.KeyUsageDigitalSignature || c.IsCA {
			t.Errorf("%s may do %v, %v", id.URI(), c.ExtKeyUsage, c.KeyUsage)
		}
		if len(c.URIs) != 1 || c.URIs[0].String() != id.URI() {
			t.Errorf("%s is %v", id.URI(), c.URIs)
		}
	}
}

func TestACertificateBeginsInThePastAndNeverOutlivesItsAuthority(t *testing.T) {
	a, err := identity.NewAuthority("c1", 30*day, epoch)
	if err != nil {
		t.Fatal(err)
	}
	later := epoch.Add(20 * day)
	c := leaf(t, issue(t, a, client("c1", "ana"), 90*day, later).Cert)
	if !c.NotAfter.Equal(a.Certificate().NotAfter) {
		t.Errorf("ends %s, its authority %s", c.NotAfter, a.Certificate().NotAfter)
	}
	if age := later.Sub(c.NotBefore); age < time.Minute || age > 10*time.Minute {
		t.Errorf("begins %s ago", age)
	}
	c = leaf(t, issue(t, a, client("c1", "ana"), 5*day, epoch).Cert)
	if c.NotBefore.Before(a.Certificate().NotBefore) || !c.NotAfter.Equal(epoch.Add(5*day)) {
		t.Errorf("from %s to %s", c.NotBefore, c.NotAfter)
	}
	_, _, err = a.Issue(client("c1", "ana"), day, epoch.Add(31*day), nil)
	says(t, err, candor.ReasonInvalid, "has expired", "make a new authority")
}

func TestWhatCannotBeIssued(t *testing.T) {
	a := authority(t, "c1", epoch)
	for name, c := range map[string]struct {
		id        candor.Identity
		validFor  time.Duration
		addresses []string
		reason    candor.Reason
	}{
		"another cluster's":     {client("c2", "ana"), day, nil, candor.ReasonClusterMismatch},
		"no name":               {client("c1", ""), day, nil, candor.ReasonInvalid},
		"a reserved name":       {client("c1", "system"), day, nil, candor.ReasonInvalid},
		"no party":              {candor.Identity{Cluster: "c1", Name: "ana"}, day, nil, candor.ReasonInvalid},
		"no time":               {client("c1", "ana"), 0, nil, candor.ReasonInvalid},
		"a client's address":    {client("c1", "ana"), day, []string{"127.0.0.1"}, candor.ReasonInvalid},
		"a worker's address":    {worker("c1", "w1"), day, []string{"localhost"}, candor.ReasonInvalid},
		"an address and a port": {server("c1", "s1"), day, []string{"127.0.0.1:7400"}, candor.ReasonInvalid},
		"any host":              {server("c1", "s1"), day, []string{"*.example.com"}, candor.ReasonInvalid},
		"an empty address":      {server("c1", "s1"), day, []string{""}, candor.ReasonInvalid},
		"an address with zone":  {server("c1", "s1"), day, []string{"fe80::1%eth0"}, candor.ReasonInvalid},
	} {
		cert, key, err := a.Issue(c.id, c.validFor, epoch, c.addresses)
		if candor.ReasonOf(err) != c.reason || cert != nil || key != nil {
			t.Errorf("%s: %v; want %s", name, err, c.reason)
		}
	}
	for _, cluster := range []string{"", "C1", "a..b", "a/b", "a b"} {
		if _, err := identity.NewAuthority(cluster, year, epoch); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("an authority of cluster %q: %v", cluster, err)
		}
	}
	if _, err := identity.NewAuthority("c1", -1, epoch); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("an authority that has never been valid: %v", err)
	}
}

// curl and its like know nothing of identities: they verify the host.
func TestAServersCertificateCanBeVerifiedByItsAddress(t *testing.T) {
	a := authority(t, "c1", epoch)
	c := leaf(t, issue(t, a, server("c1", "s1"), day, epoch, "127.0.0.1", "::1", "db.example.com", "localhost").Cert)
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate())
	for _, host := range []string{"127.0.0.1", "::1", "db.example.com", "localhost"} {
		if _, err := c.Verify(x509.VerifyOptions{Roots: pool, DNSName: host, CurrentTime: epoch}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: pool, DNSName: "example.com", CurrentTime: epoch}); err == nil {
		t.Error("is good for a host that it does not name")
	}
}
