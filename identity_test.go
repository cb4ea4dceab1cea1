package candor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net/url"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
)

func TestAnIdentityIsReadBackAsItWasWritten(t *testing.T) {
	for _, c := range []struct {
		identity candor.Identity
		uri      string
		actor    string
	}{
		{candor.Identity{Cluster: "c1", Party: candor.PartyServer, Name: "0b0c9a53"}, "spiffe://c1/server/0b0c9a53", "server/0b0c9a53"},
		{candor.Identity{Cluster: "prod.eu", Party: candor.PartyWorker, Name: "w-1"}, "spiffe://prod.eu/worker/w-1", "worker/w-1"},
		{candor.Identity{Cluster: "a_b", Party: candor.PartyClient, Name: "Ana"}, "spiffe://a_b/client/Ana", "Ana"},
		{candor.Identity{Cluster: "c1", Party: candor.PartyClient, Name: "ana@example.com"}, "spiffe://c1/client/ana@example.com", "ana@example.com"},
		{candor.Identity{Cluster: "c1", Party: candor.PartyClient, Name: "worker"}, "spiffe://c1/client/worker", "worker"},
	} {
		if got := c.identity.URI(); got != c.uri {
			t.Errorf("URI() = %s, want %s", got, c.uri)
		}
		if got := c.identity.Actor(); got != c.actor {
			t.Errorf("%s: Actor() = %s, want %s", c.uri, got, c.actor)
		}
		if err := candor.CheckActor(c.actor); err != nil {
			t.Errorf("%s acts under a name that nobody may have: %v", c.uri, err)
		}
		got, err := candor.ParseIdentity(c.uri)
		if err != nil || got != c.identity {
			t.Errorf("ParseIdentity(%s) = %+v, %v; want %+v", c.uri, got, err, c.identity)
		}
	}
}

func TestWhatIsNotWrittenAsAnIdentityIsRefused(t *testing.T) {
	long := strings.Repeat("a", candor.MaxPartyNameBytes+1)
	for _, uri := range []string{
		"", "spiffe://", "spiffe://c1", "spiffe://c1/", "spiffe://c1/client", "spiffe://c1/client/",
		"spiffe://c1/client/ana/", "spiffe://c1/client/ana/x", "spiffe://c1//ana", "spiffe:///client/ana",
		"spiffe://c1/root/ana", "spiffe://c1/Client/ana",
		"https://c1/client/ana", "SPIFFE://c1/client/ana", "c1/client/ana", "spiffe:c1/client/ana",
		"spiffe://c1/client/ana?x=1", "spiffe://c1/client/ana?", "spiffe://c1/client/ana#x", "spiffe://c1/client/ana#",
		"spiffe://u@c1/client/ana", "spiffe://u:p@c1/client/ana", "spiffe://c1:1/client/ana", "spiffe://[::1]/client/ana",
		"spiffe://c1/client/a%6ea", "spiffe://c1/client/a%2Fb", "spiffe://c%31/client/ana", "spiffe://c1/client/a b",
		"spiffe://c1/client/a\x00b", "spiffe://c1/client/añb", "spiffe://c1/client/..", "spiffe://c1/client/.ana", "spiffe://c1/client/ana-",
		"spiffe://c1/client/system", "spiffe://c1/worker/anonymous", "spiffe://c1/client/System",
		"spiffe://C1/client/ana", "spiffe://c1./client/ana", "spiffe://.c1/client/ana", "spiffe://a..b/client/ana", "spiffe://-/client/ana",
		"spiffe://c1/client/" + long, "spiffe://" + strings.Repeat("a", 64) + "/client/ana", "spiffe://" + strings.Repeat("a.", 32) + "a/client/ana",
	} {
		got, err := candor.ParseIdentity(uri)
		if candor.ReasonOf(err) != candor.ReasonInvalid || got != (candor.Identity{}) {
			t.Errorf("ParseIdentity(%q) = %+v, %v; want nothing and INVALID", uri, got, err)
		}
	}
}

func TestARefusedIdentityDoesNotFillTheMessage(t *testing.T) {
	huge := strings.Repeat("x", 1<<20)
	for _, err := range []error{
		second(candor.ParseIdentity("spiffe://c1/client/" + huge)),
		second(candor.ParseIdentity("spiffe://" + huge + "/client/ana")),
		second(candor.ParseIdentity("spiffe://c1/" + huge + "/ana")),
		second(candor.ParseIdentity(huge)),
		second(candor.ParseIdentity("%" + huge)),
		candor.CheckActor(huge + "/x"),
		candor.CheckPartyName(huge),
	} {
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("a refusal of %d bytes", len(err.Error()))
		}
	}
}

func second(_ candor.Identity, err error) error { return err }

func TestNobodyActsAsTheSystemOrAsNobody(t *testing.T) {
	for _, actor := range []string{candor.ActorSystem, candor.ActorAnonymous, "worker/system", "server/anonymous", "", "client/ana", "worker/", "worker/a/b", "ANONYMOUS"} {
		if candor.ReasonOf(candor.CheckActor(actor)) != candor.ReasonInvalid {
			t.Errorf("CheckActor(%q) lets it act", actor)
		}
	}
}

// Whatever is accepted is written back the same, is no one else's actor, and fits
// into a certificate that can be read again.
func FuzzParseIdentity(f *testing.F) {
	for _, uri := range []string{
		"spiffe://c1/server/0b0c9a53-1a5c-4f6e-9d2a-6c4c3d9e8f10", "spiffe://prod.eu/worker/w-1", "spiffe://c1/client/ana@example.com",
		"spiffe://c1/client/a%2Fb", "spiffe://a..b/client/ana", "spiffe://C1/client/ana", "spiffe://c1:1/client/ana?x#y", "%", "",
	} {
		f.Add(uri)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		i, err := candor.ParseIdentity(uri)
		if err != nil {
			if candor.ReasonOf(err) != candor.ReasonInvalid || i != (candor.Identity{}) {
				t.Fatalf("refused with %+v, %v", i, err)
			}
			return
		}
		if i.URI() != uri {
			t.Fatalf("read %q, writes %q", uri, i.URI())
		}
		if err = candor.CheckActor(i.Actor()); err != nil {
			t.Fatal(err)
		}
		if isParty := strings.Contains(i.Actor(), "/"); isParty != (i.Party != candor.PartyClient) {
			t.Fatalf("%s acts as %s", uri, i.Actor())
		}
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), URIs: []*url.URL{u}},
			&x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatalf("%s cannot be read from a certificate: %v", uri, err)
		}
		if got := certificate.URIs[0].String(); got != uri {
			t.Fatalf("the certificate says %s, not %s", got, uri)
		}
	})
}
