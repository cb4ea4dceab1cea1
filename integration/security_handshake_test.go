package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
)

// port is one way into a server.
type port struct {
	name, address string
	// method is what its handshakes are called in the audit log.
	method    string
	protocols []string
}

func (g *guarded) ports(p *process) []port {
	return []port{
		{"api", p.api, "tls-handshake", []string{"h2"}},
		{"raft", p.raft, "raft-handshake", nil},
		{"debug", g.debug[p], "tls-handshake", []string{"http/1.1"}},
	}
}

// stranger shows a certificate that is not to be taken, for a reason.
type stranger struct {
	name        string
	certificate tls.Certificate
	why         string
}

// strangers are those that no port takes. All claim to be what would be most
// useful: a server that is a member.
func (g *guarded) strangers() []stranger {
	g.t.Helper()
	member := g.uri("n1")
	id := member[strings.LastIndexByte(member, '/')+1:]
	elsewhere := func(cluster string) tls.Certificate {
		folder := filepath.Join(g.dir, "elsewhere-"+cluster)
		succeeds(g.t, "tls", "init", "--dir", folder, "--cluster", cluster)
		succeeds(g.t, "tls", "issue", "server", "--dir", folder, "--id", id, "--name", "x")
		return pair(g.t, filepath.Join(folder, "x", "x.crt"), filepath.Join(folder, "x", "x.key"))
	}
	ca := g.issuing()
	signed := func(change func(*x509.Certificate), uris ...string) tls.Certificate {
		return forge(g.t, ca, change, uris...)
	}
	return []stranger{
		{"another authority", elsewhere(guardedID), "not trusted here"},
		{"another cluster's server", elsewhere("beta"), "is of cluster beta"},
		{"another cluster by our authority's key", signed(nil, "spiffe://beta/server/"+id), "is of cluster beta"},
		{"itself", forge(g.t, nil, nil, member), "not trusted here"},
		{"expired", signed(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(-time.Second)
		}, member), "has expired"},
		{"not valid yet", signed(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }, member), "not yet valid"},
		{"no name", signed(func(c *x509.Certificate) { c.DNSNames = []string{"n1", "localhost"} }), "has 0 URI SANs"},
		{"two names", signed(nil, member, g.uri("root")), "has 2 URI SANs"},
		{"a party that there is not", signed(nil, "spiffe://guarded/admin/root"), "does not say who it is"},
		{"the authority itself", *ca, "does not say who it is"},
		{"an authority below ours", signed(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }, member), "is an authority's"},
		{"one that may only serve", signed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, member), "may not be used to call"},
	}
}

// TestOnlyCertificatesOfTheClusterAreTaken on no port of any server, and whoever
// is refused is in the audit log with the reason and where it came from.
func TestOnlyCertificatesOfTheClusterAreTaken(t *testing.T) {
	g := guard(t, 50*time.Second, calm...)
	create(g.ctx, t, g.root, "kept")
	before := g.state()
	for i, s := range g.strangers() {
		p := g.servers[i%len(g.servers)]
		for _, port := range g.ports(p) {
			g.refused(p, port, s.name, presenting(s.certificate, port.protocols...), s.why)
		}
	}
	// Good certificates, of those who are no servers.
	g.issue(candor.PartyWorker, "w1")
	g.issue(candor.PartyClient, "ana")
	for _, p := range g.servers {
		raft := g.ports(p)[1]
		for _, name := range []string{"w1", "ana"} {
			files := g.files(name)
			g.refused(p, raft, "stolen from "+name, presenting(pair(t, files.Cert, files.Key)), "want a server")
		}
		g.refused(p, raft, "without a certificate", &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}, "no certificate")
	}
	if diff := cmp.Diff(before, g.state()); diff != "" {
		t.Errorf("refusals changed something:\n%s", diff)
	}
	create(g.ctx, t, g.root, "after")
}

// refused wants a connection to be refused, and the audit log to say why.
func (g *guarded) refused(p *process, at port, who string, config *tls.Config, why string) {
	g.t.Helper()
	from, _, err := knock(g.ctx, at.address, config)
	if candor.ReasonOf(err) != candor.ReasonUnauthenticated {
		g.t.Errorf("%s at %s of %s: %v, want UNAUTHENTICATED", who, at.name, p.name, err)
		return
	}
	g.accounts(auditRecord{
		Actor: candor.ActorAnonymous, AuthenticatedBy: "none", Source: from, Method: at.method, Reason: candor.ReasonUnauthenticated, Message: why,
	}, p)
}

// TestNoPortSpeaksLessThanTLS13 to anybody, whatever certificate he has.
func TestNoPortSpeaksLessThanTLS13(t *testing.T) {
	g := guard(t, 50*time.Second, calm...)
	before := g.state()
	id := func(name string) string { uri := g.uri(name); return uri[strings.LastIndexByte(uri, '/')+1:] }
	// What would be understood, if it were read.
	said := map[string]string{
		"api":   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"raft":  `{"protocol":"candor-raft/1","cluster":"` + guardedID + `","from":"` + id("n2") + `","to":"` + id("n1") + `"}` + "\n",
		"debug": "GET /livez HTTP/1.1\r\nHost: n1\r\nConnection: close\r\n\r\n",
	}
	n1 := g.servers[0]
	own := g.files("n2")
	member := pair(t, own.Cert, own.Key)
	for _, port := range g.ports(n1) {
		old := presenting(member, port.protocols...)
		old.MaxVersion = tls.VersionTLS12
		from, _, err := knock(g.ctx, port.address, old)
		if candor.ReasonOf(err) != candor.ReasonUnauthenticated || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("TLS 1.2 at %s: %v", port.name, err)
		}
		if port.name != "debug" {
			g.accounts(auditRecord{Source: from, Method: port.method, Reason: candor.ReasonUnauthenticated, Message: "unsupported versions"}, n1)
		}
		if answer := inTheClear(g.ctx, t, port.address, said[port.name]); understood(port.name, answer) {
			t.Errorf("in the clear %s answers %q", port.name, answer)
		}
		// The same words, of the same server, in TLS 1.3: it was the wire that was refused.
		current := presenting(member, port.protocols...)
		current.MinVersion = tls.VersionTLS13
		if answer := overTLS(g.ctx, t, port.address, current, said[port.name]); !understood(port.name, answer) {
			t.Errorf("INCONCLUSIVE: over TLS %s answers %q", port.name, answer)
		}
	}
	if diff := cmp.Diff(before, g.state()); diff != "" {
		t.Errorf("refusals changed something:\n%s", diff)
	}
	if text := n1.said(t); !strings.Contains(text, "the other side does not speak TLS") {
		t.Errorf("the log does not say that somebody spoke in the clear:\n%s", text)
	}
}

// understood says whether an answer is one of the port's own protocol.
func understood(name, answer string) bool {
	switch name {
	case "api":
		// The first frame of a server is SETTINGS.
		return len(answer) > 3 && answer[3] == 4
	case "raft":
		return strings.HasPrefix(answer, "{")
	default:
		return strings.Contains(answer, "200 OK")
	}
}

func inTheClear(ctx context.Context, t *testing.T, address, text string) string {
	t.Helper()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return converse(t, c, text)
}

func overTLS(ctx context.Context, t *testing.T, address string, config *tls.Config, text string) string {
	t.Helper()
	c, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return converse(t, c, text)
}

// converse says something and returns the beginning of the answer; empty where
// the other side only hung up.
func converse(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		return ""
	}
	answer := make([]byte, http.DefaultMaxHeaderBytes)
	n, err := c.Read(answer)
	if n == 0 && err != nil {
		return ""
	}
	return string(answer[:n])
}
