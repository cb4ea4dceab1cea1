package identity_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// meeting is one handshake and a byte each way, as both sides saw it.
type meeting struct {
	server, client       *tls.Conn
	serverErr, clientErr error
}

// meet runs a real handshake over loopback. Both ends are closed with the test.
func meet(t testing.TB, serving, calling *tls.Config) meeting {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var m meeting
	var wait sync.WaitGroup
	wait.Go(func() {
		raw, err := listener.Accept()
		if err != nil {
			m.serverErr = err
			return
		}
		m.server = tls.Server(raw, serving)
		m.serverErr = exchange(m.server)
	})
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	m.client = tls.Client(raw, calling)
	m.clientErr = exchange(m.client)
	wait.Wait()
	t.Cleanup(func() {
		_ = m.client.Close()
		if m.server != nil {
			_ = m.server.Close()
		}
	})
	return m
}

// exchange ends with the raw connection closed when it fails, so that the other
// side does not wait.
func exchange(conn *tls.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	err := conn.Handshake()
	if err == nil {
		_, err = conn.Write([]byte{1})
	}
	if err == nil {
		_, err = io.ReadFull(conn, make([]byte, 1))
	}
	if err != nil {
		_ = conn.Close()
	}
	return err
}

func peerOf(t *testing.T, conn *tls.Conn) candor.Identity {
	t.Helper()
	state := conn.ConnectionState()
	id, err := identity.PeerOf(&state)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// audit is what a listener refused.
type audit struct {
	mu      sync.Mutex
	remotes []string
	errs    []error
}

func (a *audit) refused(remote string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remotes, a.errs = append(a.remotes, remote), append(a.errs, err)
}

var anyServer = identity.OneOf(candor.PartyServer)

func TestBothSidesKnowWhoTheOtherIs(t *testing.T) {
	a := authority(t, "c1", epoch)
	s, _ := open(t, issue(t, a, server("c1", "s1"), year, epoch), epoch)
	for _, id := range []candor.Identity{client("c1", "ana"), worker("c1", "w1"), server("c1", "s2")} {
		c, _ := open(t, issue(t, a, id, year, epoch), epoch)
		for _, demand := range []identity.Demand{identity.CertificateRequired, identity.CertificateOptional} {
			m := meet(t, s.Server(identity.Serving{Demand: demand, NextProtos: []string{"h2", "x"}}), c.Client(identity.Exactly(candor.PartyServer, "s1"), "x"))
			if m.serverErr != nil || m.clientErr != nil {
				t.Fatalf("%s: %v, %v", id.URI(), m.serverErr, m.clientErr)
			}
			if got := peerOf(t, m.server); got != id {
				t.Errorf("the server sees %s, not %s", got.URI(), id.URI())
			}
			if got := peerOf(t, m.client); got != server("c1", "s1") {
				t.Errorf("the client sees %s", got.URI())
			}
			for _, conn := range []*tls.Conn{m.server, m.client} {
				state := conn.ConnectionState()
				if state.Version != tls.VersionTLS13 || state.DidResume || state.NegotiatedProtocol != "x" {
					t.Errorf("version %x, resumed %v, protocol %q", state.Version, state.DidResume, state.NegotiatedProtocol)
				}
			}
		}
	}
}

func TestWithoutACertificateOnlyWhereItIsOptional(t *testing.T) {
	a := authority(t, "c1", epoch)
	s, _ := open(t, issue(t, a, server("c1", "s1"), year, epoch), epoch)
	c, _ := open(t, identity.Content{CA: a.CertPEM()}, epoch)
	m := meet(t, s.Server(identity.Serving{Demand: identity.CertificateOptional, Expect: anyServer}), c.Client(anyServer))
	if m.serverErr != nil || m.clientErr != nil {
		t.Fatalf("%v, %v", m.serverErr, m.clientErr)
	}
	state := m.server.ConnectionState()
	if _, err := identity.PeerOf(&state); candor.ReasonOf(err) != candor.ReasonUnauthenticated || !identity.Anonymous(&state) {
		t.Errorf("nobody is %v", err)
	}
	var seen audit
	m = meet(t, s.Server(identity.Serving{Refused: seen.refused}), c.Client(anyServer))
	says(t, m.serverErr, candor.ReasonUnauthenticated, "no certificate", "cluster c1")
	says(t, identity.Explain(m.clientErr), candor.ReasonUnauthenticated, "the other side refused")
	if len(seen.errs) != 1 {
		t.Errorf("audited %v", seen.errs)
	}
	if !panics(func() { c.Server(identity.Serving{}) }) {
		t.Error("serves without a certificate")
	}
}

// What a caller can show that proves nothing, in whatever mode the listener is.
func TestEveryBadCertificateOfACallerIsRefusedTypedAndAudited(t *testing.T) {
	ours, stranger, foreign := authority(t, "c1", epoch.Add(-30*day)), authority(t, "c1", epoch), authority(t, "c2", epoch)
	short, err := identity.NewAuthority("c1", day, epoch)
	if err != nil {
		t.Fatal(err)
	}
	content := issue(t, ours, server("c1", "s1"), year, epoch)
	content.CA = bundle(ours, short)
	s, _ := open(t, content, epoch)
	expired, _ := open(t, content, epoch.Add(2*day))
	onlyClients := identity.Exactly(candor.PartyClient, "ana")
	for name, c := range map[string]struct {
		by      *identity.Source
		content identity.Content
		expect  func(candor.Identity) error
		subject string
		words   []string
	}{
		"another authority":     {s, issue(t, stranger, client("c1", "ana"), year, epoch), nil, "spiffe://c1/client/ana", []string{"not trusted here", "candor authority", "add its authority"}},
		"expired":               {s, issue(t, ours, client("c1", "ana"), day, epoch.Add(-3*day)), nil, "spiffe://c1/client/ana", []string{"has expired", "issue a new one"}},
		"not yet valid":         {s, issue(t, ours, client("c1", "ana"), day, epoch.Add(day)), nil, "spiffe://c1/client/ana", []string{"not yet valid", "look at the clock"}},
		"an expired authority":  {expired, forge(t, short, epoch, func(c *x509.Certificate) { c.NotAfter = epoch.Add(year) }, "spiffe://c1/client/ana"), nil, "spiffe://c1/client/ana", []string{"authority's", "has expired"}},
		"no URI":                {s, forge(t, ours, epoch, nil), nil, "", []string{"0 URI SANs", "exactly one"}},
		"several URIs":          {s, forge(t, ours, epoch, nil, "spiffe://c1/client/ana", "spiffe://c1/client/eve"), nil, "spiffe://c1/client/ana", []string{"2 URI SANs"}},
		"an unreadable URI":     {s, forge(t, ours, epoch, nil, "spiffe://c1/admin/ana"), nil, "spiffe://c1/admin/ana", []string{"does not say who it is"}},
		"another cluster":       {s, issue(t, foreign, server("c2", "s1"), year, epoch), nil, "spiffe://c2/server/s1", []string{"of cluster c2", "this is cluster c1"}},
		"another cluster, ours": {s, forge(t, ours, epoch, nil, "spiffe://c2/client/ana"), nil, "spiffe://c2/client/ana", []string{"of cluster c2"}},
		"only for serving": {s, forge(t, ours, epoch, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}, "spiffe://c1/client/ana"), nil, "spiffe://c1/client/ana", []string{"call", "clientAuth"}},
		"for anything":      {s, forge(t, ours, epoch, func(c *x509.Certificate) { c.ExtKeyUsage = nil }, "spiffe://c1/client/ana"), nil, "spiffe://c1/client/ana", []string{"clientAuth"}},
		"an authority's":    {s, identity.Content{CA: ours.CertPEM(), Cert: ours.CertPEM(), Key: ours.KeyPEM()}, nil, "spiffe://c1", []string{"does not say who it is"}},
		"another party":     {s, issue(t, ours, worker("c1", "ana"), year, epoch), onlyClients, "spiffe://c1/worker/ana", []string{"want client/ana"}},
		"another's name":    {s, issue(t, ours, client("c1", "eve"), year, epoch), onlyClients, "spiffe://c1/client/eve", []string{"want client/ana"}},
		"a stolen worker's": {s, issue(t, ours, worker("c1", "w1"), year, epoch), anyServer, "spiffe://c1/worker/w1", []string{"want a server"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, demand := range []identity.Demand{identity.CertificateRequired, identity.CertificateOptional} {
				var seen audit
				m := meet(t, c.by.Server(identity.Serving{Demand: demand, Expect: c.expect, Refused: seen.refused}), rogue(t, c.content))
				says(t, m.serverErr, candor.ReasonUnauthenticated, c.words...)
				e, ok := errors.AsType[*candor.Error](m.serverErr)
				if !ok || e.Subject != c.subject {
					t.Errorf("the refusal is about %q, not %q", e.Subject, c.subject)
				}
				if len(seen.errs) != 1 || !errors.Is(seen.errs[0], m.serverErr) || seen.remotes[0] != m.client.LocalAddr().String() {
					t.Errorf("audited %v of %v", seen.errs, seen.remotes)
				}
				says(t, identity.Explain(m.clientErr), candor.ReasonUnauthenticated, "the other side refused")
			}
		})
	}
}

// rogue calls with whatever it has and takes whoever answers.
func rogue(t *testing.T, content identity.Content) *tls.Config {
	t.Helper()
	pair, err := tls.X509KeyPair(content.Cert, content.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil },
	}
}

func TestACallerIsNotFooledAboutWhoAnswers(t *testing.T) {
	ours, stranger, foreign := authority(t, "c1", epoch), authority(t, "c1", epoch), authority(t, "c2", epoch)
	c, _ := open(t, issue(t, ours, client("c1", "ana"), year, epoch), epoch)
	forged := func(party string) identity.Content {
		return forge(t, ours, epoch, nil, "spiffe://c1/"+party)
	}
	for name, x := range map[string]struct {
		content identity.Content
		expect  func(candor.Identity) error
		words   []string
	}{
		"another authority":        {issue(t, stranger, server("c1", "s1"), year, epoch), anyServer, []string{"not trusted here"}},
		"another cluster":          {issue(t, foreign, server("c2", "s1"), year, epoch), anyServer, []string{"of cluster c2"}},
		"another server":           {issue(t, ours, server("c1", "s2"), year, epoch), identity.Exactly(candor.PartyServer, "s1"), []string{"spiffe://c1/server/s2", "want server/s1"}},
		"a client":                 {issue(t, ours, client("c1", "eve"), year, epoch), anyServer, []string{"serve", "serverAuth"}},
		"a worker":                 {issue(t, ours, worker("c1", "w1"), year, epoch), anyServer, []string{"serve", "serverAuth"}},
		"a client that may serve":  {forged("client/eve"), func(candor.Identity) error { return nil }, []string{"want a server"}},
		"expired":                  {forge(t, ours, epoch, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = epoch.Add(-2*day), epoch.Add(-day) }, "spiffe://c1/server/s1"), anyServer, []string{"has expired"}},
		"refused by who expects":   {issue(t, ours, server("c1", "s1"), year, epoch), func(candor.Identity) error { return errors.New("not today") }, []string{"not today"}},
		"a server for no purposes": {forge(t, ours, epoch, func(c *x509.Certificate) { c.ExtKeyUsage = nil }, "spiffe://c1/server/s1"), anyServer, []string{"serverAuth"}},
	} {
		t.Run(name, func(t *testing.T) {
			pair, err := tls.X509KeyPair(x.content.Cert, x.content.Key)
			if err != nil {
				t.Fatal(err)
			}
			m := meet(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}, c.Client(x.expect))
			says(t, m.clientErr, candor.ReasonUnauthenticated, x.words...)
			if m.serverErr == nil {
				t.Error("the impostor got a connection")
			}
		})
	}
}

// A certificate is public: who has no key for it is refused by the handshake.
func TestACertificateWithoutItsKeyProvesNothing(t *testing.T) {
	a := authority(t, "c1", epoch)
	s, _ := open(t, issue(t, a, server("c1", "s1"), year, epoch), epoch)
	seen := leaf(t, issue(t, a, client("c1", "ana"), year, epoch).Cert)
	eve := issue(t, a, client("c1", "eve"), year, epoch)
	own, err := tls.X509KeyPair(eve.Cert, eve.Key)
	if err != nil {
		t.Fatal(err)
	}
	m := meet(t, s.Server(identity.Serving{}), &tls.Config{
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{seen.Raw}, PrivateKey: own.PrivateKey}, nil
		},
	})
	says(t, identity.Explain(m.serverErr), candor.ReasonUnauthenticated, "handshake failed")
	if m.clientErr == nil {
		t.Error("eve is ana")
	}
}

func TestOlderTLSIsRefusedByBothSides(t *testing.T) {
	a := authority(t, "c1", epoch)
	content := issue(t, a, server("c1", "s1"), year, epoch)
	s, _ := open(t, content, epoch)
	old := rogue(t, content)
	old.MaxVersion = tls.VersionTLS12
	m := meet(t, s.Server(identity.Serving{Demand: identity.CertificateOptional}), old)
	says(t, identity.Explain(m.serverErr), candor.ReasonUnauthenticated, "handshake failed")
	pair, err := tls.X509KeyPair(content.Cert, content.Key)
	if err != nil {
		t.Fatal(err)
	}
	m = meet(t, &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12}, s.Client(anyServer))
	says(t, identity.Explain(m.clientErr), candor.ReasonUnauthenticated)
}

func TestACertificateNeedsAHandshakeToBeSomebodys(t *testing.T) {
	a := authority(t, "c1", epoch)
	state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf(t, issue(t, a, client("c1", "ana"), year, epoch).Cert)}}
	_, err := identity.PeerOf(&state)
	says(t, err, candor.ReasonUnauthenticated, "not complete")
}
