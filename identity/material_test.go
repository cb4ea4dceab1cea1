package identity_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

func TestMaterialSaysWhoWeAreAndWhomWeTrust(t *testing.T) {
	first, second := authority(t, "c1", epoch), authority(t, "c1", epoch)
	content := issue(t, second, server("c1", "s1"), year, epoch)
	content.CA = bundle(first, second, first)
	files := filesIn(t.TempDir())
	write(t, files, content)
	m, err := identity.Load(files, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if m.Self != server("c1", "s1") || m.Cluster != "c1" || len(m.Authorities) != 2 || !m.NotAfter.Equal(epoch.Add(year)) || len(m.Warnings) != 0 {
		t.Errorf("loaded %+v", m)
	}
	files.Cert, files.Key = "", ""
	m, err = identity.Load(files, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if m.Self != (candor.Identity{}) || m.Certificate != nil || m.Cluster != "c1" || !m.NotAfter.Equal(second.Certificate().NotAfter) {
		t.Errorf("loaded %+v", m)
	}
}

func TestFilesThatAreNoGoodAreRefusedWithWhatToDo(t *testing.T) {
	ours, other, foreign := authority(t, "c1", epoch.Add(-30*day)), authority(t, "c1", epoch), authority(t, "c2", epoch)
	short, err := identity.NewAuthority("c1", day, epoch)
	if err != nil {
		t.Fatal(err)
	}
	good := issue(t, ours, server("c1", "s1"), year, epoch)
	stranger := issue(t, foreign, server("c2", "s1"), year, epoch)
	with := func(change func(*identity.Content)) identity.Content {
		c := good
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		content identity.Content
		reason  candor.Reason
		words   []string
	}{
		"nothing":                    {identity.Content{}, candor.ReasonInvalid, []string{"holds no certificate"}},
		"no PEM":                     {with(func(c *identity.Content) { c.CA = []byte("hello") }), candor.ReasonInvalid, []string{"holds no certificate"}},
		"a bundle that is cut short": {with(func(c *identity.Content) { c.CA = append(bundle(ours), bundle(other)[:200]...) }), candor.ReasonInvalid, []string{"damaged or cut short"}},
		"a bundle damaged inside": {with(func(c *identity.Content) {
			c.CA = append(bytes.Replace(bundle(other), []byte("M"), []byte("*"), 1), bundle(ours)...)
		}), candor.ReasonInvalid, []string{"damaged"}},
		"a key among the authorities": {with(func(c *identity.Content) { c.CA = append(bundle(ours), ours.KeyPEM()...) }), candor.ReasonInvalid, []string{"certificates alone"}},
		"no certificate DER":          {with(func(c *identity.Content) { c.Cert = encode("CERTIFICATE", []byte("x")) }), candor.ReasonInvalid, []string{"certificate 1"}},
		"two clusters":                {with(func(c *identity.Content) { c.CA = bundle(ours, foreign) }), candor.ReasonClusterMismatch, []string{"cluster c1", "cluster c2"}},
		"a party as authority":        {with(func(c *identity.Content) { c.CA = c.Cert }), candor.ReasonInvalid, []string{"may not sign certificates"}},
		"no key":                      {with(func(c *identity.Content) { c.Key = nil }), candor.ReasonInvalid, []string{"holds no private key"}},
		"no certificate":              {with(func(c *identity.Content) { c.Cert = nil }), candor.ReasonInvalid, []string{"holds no certificate"}},
		"a certificate as key":        {with(func(c *identity.Content) { c.Key = c.Cert }), candor.ReasonInvalid, []string{"one private key alone"}},
		"two keys":                    {with(func(c *identity.Content) { c.Key = append(bytes.Clone(c.Key), stranger.Key...) }), candor.ReasonInvalid, []string{"more than one"}},
		"another's key":               {with(func(c *identity.Content) { c.Key = stranger.Key }), candor.ReasonInvalid, []string{"does not belong", "issued together"}},
		"an encrypted key":            {with(func(c *identity.Content) { c.Key = encode("ENCRYPTED PRIVATE KEY", []byte("x")) }), candor.ReasonInvalid, []string{"encrypted", "without one"}},
		"a damaged key":               {with(func(c *identity.Content) { c.Key = encode("PRIVATE KEY", []byte("x")) }), candor.ReasonInvalid, []string{"cannot be read"}},
		"a key of another use":        {with(func(c *identity.Content) { c.Key = encode("OPENSSH PRIVATE KEY", []byte("x")) }), candor.ReasonInvalid, []string{"OPENSSH", "want an ECDSA"}},
		"a short RSA key":             {with(func(c *identity.Content) { c.Key = shortRSA(t) }), candor.ReasonInvalid, []string{"1024 bits", "2048"}},
		"another authority's":         {with(func(c *identity.Content) { c.CA = bundle(other) }), candor.ReasonInvalid, []string{"our own", "not trusted here", "add its authority"}},
		"another cluster's":           {with(func(c *identity.Content) { c.Cert, c.Key = stranger.Cert, stranger.Key }), candor.ReasonClusterMismatch, []string{"cluster c2", "cluster c1"}},
		"an expired one":              {issue(t, ours, server("c1", "s1"), day, epoch.Add(-2*day)), candor.ReasonInvalid, []string{"has expired", "issue a new one"}},
		"one from the future":         {issue(t, ours, server("c1", "s1"), day, epoch.Add(day)), candor.ReasonInvalid, []string{"not yet valid", "look at the clock"}},
		"an authority from then":      {with(func(c *identity.Content) { c.CA = bundle(authority(t, "c1", epoch.Add(day))) }), candor.ReasonInvalid, []string{"not yet valid"}},
		"no URI":                      {forge(t, ours, epoch, nil), candor.ReasonInvalid, []string{"0 URI SANs", "exactly one"}},
		"two URIs":                    {forge(t, ours, epoch, nil, "spiffe://c1/server/a", "spiffe://c1/server/b"), candor.ReasonInvalid, []string{"2 URI SANs"}},
		"another URI":                 {forge(t, ours, epoch, nil, "https://c1/server/a"), candor.ReasonInvalid, []string{"does not say who it is"}},
		"a server that cannot serve": {forge(t, ours, epoch, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, "spiffe://c1/server/a"), candor.ReasonInvalid, []string{"serve", "serverAuth"}},
		"a client for anything": {forge(t, ours, epoch, func(c *x509.Certificate) { c.ExtKeyUsage = nil }, "spiffe://c1/client/a"), candor.ReasonInvalid, []string{"clientAuth"}},
		"one that cannot sign": {forge(t, ours, epoch, func(c *x509.Certificate) {
			c.KeyUsage = x509.KeyUsageKeyEncipherment
		}, "spiffe://c1/client/a"), candor.ReasonInvalid, []string{"digitalSignature"}},
	} {
		m, err := identity.Parse(c.content, epoch)
		if m != nil {
			t.Errorf("%s was taken", name)
		}
		t.Run(name, func(t *testing.T) { says(t, err, c.reason, c.words...) })
	}
	_, err = identity.Parse(issue(t, short, client("c1", "ana"), year, epoch), epoch.Add(2*day))
	says(t, err, candor.ReasonInvalid, "has expired", "put a valid authority")
}

func encode(kind string, data []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data})
}

func shortRSA(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

func TestAnExpiredAuthorityBesideAValidOneIsAWarning(t *testing.T) {
	old, err := identity.NewAuthority("c1", day, epoch)
	if err != nil {
		t.Fatal(err)
	}
	next := authority(t, "c1", epoch)
	content := issue(t, next, client("c1", "ana"), year, epoch)
	content.CA = bundle(old, next)
	m, err := identity.Parse(content, epoch.Add(2*day))
	if err != nil || len(m.Warnings) != 1 {
		t.Fatalf("%+v, %v; want one warning", m, err)
	}
	content = issue(t, old, client("c1", "ana"), year, epoch)
	content.CA = bundle(old, next)
	_, err = identity.Parse(content, epoch.Add(2*day))
	says(t, err, candor.ReasonInvalid, "has expired")
}

func TestAKeyThatOthersMayReadIsAWarning(t *testing.T) {
	a := authority(t, "c1", epoch)
	files := filesIn(t.TempDir())
	write(t, files, issue(t, a, client("c1", "ana"), year, epoch))
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o400: 0, 0o640: 0, 0o660: 1, 0o644: 1, 0o604: 1, 0o601: 1} {
		if err := os.Chmod(files.Key, mode); err != nil {
			t.Fatal(err)
		}
		m, err := identity.Load(files, epoch)
		if err != nil || len(m.Warnings) != want {
			t.Errorf("mode %o: %+v, %v; want %d warnings", mode, m, err, want)
		}
	}
}

func TestFilesThatCannotBeReadAreNamed(t *testing.T) {
	a := authority(t, "c1", epoch)
	good := filesIn(t.TempDir())
	write(t, good, issue(t, a, client("c1", "ana"), year, epoch))
	huge := t.TempDir() + "/huge"
	if err := os.WriteFile(huge, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir() + "/empty"
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files  identity.Files
		reason candor.Reason
		word   string
	}{
		"none":          {identity.Files{}, candor.ReasonInvalid, "--tls-ca"},
		"no key":        {identity.Files{CA: good.CA, Cert: good.Cert}, candor.ReasonInvalid, "both or neither"},
		"no such file":  {identity.Files{CA: good.CA, Cert: good.Cert, Key: good.Key + "x"}, candor.ReasonNotFound, "own.keyx"},
		"a folder":      {identity.Files{CA: t.TempDir()}, candor.ReasonInvalid, "no regular file"},
		"a device":      {identity.Files{CA: "/dev/zero"}, candor.ReasonInvalid, "no regular file"},
		"a huge one":    {identity.Files{CA: huge}, candor.ReasonInvalid, "more than"},
		"two empty":     {identity.Files{CA: good.CA, Cert: empty, Key: empty}, candor.ReasonInvalid, "are empty"},
		"mixed up ones": {identity.Files{CA: good.Cert, Cert: good.CA, Key: good.Key}, candor.ReasonInvalid, "may not sign"},
	} {
		m, err := identity.Load(c.files, epoch)
		if m != nil {
			t.Errorf("%s: was loaded", name)
		}
		t.Run(name, func(t *testing.T) { says(t, err, c.reason, c.word) })
	}
}
