package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"
)

// TestTheAuthorityIsReplacedUnderLoad with the three steps of `candor tls rotate`,
// while clients read, write, watch and dial anew all the time: nothing fails, and
// all servers and the client end with certificates of the new authority. Those of
// the old one are then refused.
//
// Each party takes a step's files over by itself. The time that the next step
// wants to have passed since is made to have passed, once all were seen to have
// them.
func TestTheAuthorityIsReplacedUnderLoad(t *testing.T) {
	g := guard(t, 55*time.Second, calm...)
	g.issue(candor.PartyClient, "ana")
	g.bind("ana", "operator")
	for _, p := range g.servers {
		g.heard(p)
	}
	load := g.burden("ana")
	load.goesOn(t, 2)
	oldClient, oldServer, oldAuthority := pair(t, g.files("ana").Cert, g.files("ana").Key), pair(t, g.files("n1").Cert, g.files("n1").Key), g.issuing().Leaf
	oldTrust := copied(t, g.files("ana"))

	g.rotates("begin")
	next := g.next()
	probe := forge(t, next, nil, g.uri("ana"))
	g.takenOver(1, load, func(p *process) bool {
		// It takes what the next authority will issue.
		_, _, err := knock(g.ctx, p.api, presenting(probe, "h2"))
		return err == nil
	})
	load.goesOn(t, 2)

	g.notYet("switch")
	g.rotates("switch")
	g.takenOver(2, load, func(p *process) bool { return g.present(p, next.Leaf) })
	if !load.own.Material().Certificate.Leaf.Equal(pair(t, g.files("ana").Cert, g.files("ana").Key).Leaf) {
		t.Error("the client has not taken its new certificate over")
	}
	load.goesOn(t, 2)

	g.notYet("finish")
	g.rotates("finish")
	g.takenOver(3, load, func(*process) bool { return len(load.own.Material().Authorities) == 1 })
	load.goesOn(t, 4)
	load.end(t)

	for _, p := range g.servers {
		if !g.present(p, next.Leaf) {
			t.Errorf("%s does not present a certificate of the new authority on every port", p.name)
		}
	}
	g.shows(load, next.Leaf)
	g.isOver(oldClient, oldServer, oldAuthority, oldTrust)
	// Servers find one another by their new certificates alone.
	follower := g.follower()
	follower.stop(t)
	follower.begin(t)
	g.answers(g.ctx, load.lasting, follower)
	create(g.ctx, t, load.lasting, "after")
	g.sameDigests(g.ctx, g.as("root"), g.servers...)
}

// rotates takes one step.
func (g *guarded) rotates(step string) {
	g.t.Helper()
	succeeds(g.t, "tls", "rotate", step, "--dir", g.folder)
}

// notYet wants the next step to be refused while the files of the last are young,
// and then makes them old.
func (g *guarded) notYet(step string) {
	g.t.Helper()
	code, out := command(g.t, "tls", "rotate", step, "--dir", g.folder)
	if code != candor.ReasonUnavailable.Disposition().Exit {
		g.t.Errorf("%s at once ended with %d: %s", step, code, out)
	}
	past := time.Now().Add(-time.Minute)
	err := filepath.WalkDir(g.folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chtimes(path, past, past)
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// next is the authority that the rotation has begun with, and its key.
func (g *guarded) next() *tls.Certificate {
	g.t.Helper()
	key, err := os.ReadFile(filepath.Join(g.folder, "ca-next.key"))
	if err != nil {
		g.t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(g.folder, "ca.crt"))
	if err != nil {
		g.t.Fatal(err)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if p, err := tls.X509KeyPair(pem.EncodeToMemory(block), key); err == nil {
			return &p
		}
	}
	g.t.Fatal("ca.crt does not hold the next authority")
	return nil
}

// takenOver waits until every server and the client have taken files over so
// often, and a condition holds of every server.
func (g *guarded) takenOver(often int, l *load, holds func(p *process) bool) {
	g.t.Helper()
	until(g.ctx, g.t, "the client takes its files over", func() bool { return l.own.Status().Reloads >= uint64(often) })
	for _, p := range g.servers {
		until(g.ctx, g.t, p.name+" takes its files over", func() bool {
			return strings.Count(p.said(g.t), "TLS files taken over") >= often && holds(p)
		})
	}
}

// present says whether every port of a server answers with a certificate that this
// authority signed.
func (g *guarded) present(p *process, authority *x509.Certificate) bool {
	g.t.Helper()
	files := g.files("ana")
	for _, port := range g.ports(p) {
		c, err := (&tls.Dialer{Config: presenting(pair(g.t, files.Cert, files.Key), port.protocols...)}).DialContext(g.ctx, "tcp", port.address)
		if err != nil {
			return false
		}
		met := c.(*tls.Conn).ConnectionState()
		_ = c.Close()
		if met.PeerCertificates[0].URIs[0].String() != g.uri(p.name) || met.PeerCertificates[0].CheckSignatureFrom(authority) != nil {
			return false
		}
	}
	return true
}

// shows wants the client to show a certificate of that authority to a server.
func (g *guarded) shows(l *load, authority *x509.Certificate) {
	g.t.Helper()
	own := g.files("n1")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	met := hold(g.t, listener, pair(g.t, own.Cert, own.Key))
	ctx, cancel := context.WithCancel(g.ctx)
	defer cancel()
	end := ongoing(func() error {
		_, err := l.lasting.Cluster().Status(ctx, client.OnEndpoint(listener.Addr().String()))
		return err
	})
	until(g.ctx, g.t, "the client calls", func() bool { return met.last() != nil })
	cancel()
	if shown := met.last().PeerCertificates; len(shown) != 1 || shown[0].URIs[0].String() != g.uri("ana") || shown[0].CheckSignatureFrom(authority) != nil {
		g.t.Error("the client does not present a certificate of the new authority")
	}
	if err := <-end; err == nil {
		g.t.Error("INCONCLUSIVE: somebody else answered the client")
	}
}

// isOver wants nobody to take the old authority's certificates, nor those who
// trust it alone to take the new ones.
func (g *guarded) isOver(oldClient, oldServer tls.Certificate, authority *x509.Certificate, oldTrust identity.Files) {
	g.t.Helper()
	later := forge(g.t, &oldClient, nil, g.uri("ana"))
	if oldClient.Leaf.CheckSignatureFrom(authority) != nil || oldServer.Leaf.CheckSignatureFrom(authority) != nil {
		g.t.Fatal("INCONCLUSIVE: these are not the old authority's")
	}
	for _, p := range g.servers {
		for _, port := range g.ports(p) {
			for who, certificate := range map[string]tls.Certificate{"the old client": oldClient, "the old server": oldServer, "somebody below the old client": later} {
				g.refused(p, port, who, presenting(certificate, port.protocols...), "not trusted here")
			}
		}
	}
	// A server that did not take part: no client takes it.
	g.refuses(g.files("ana"), []string{g.pose(stranger{certificate: oldServer})}, "not trusted here")
	// A client that did not take part: it takes no server.
	g.refuses(oldTrust, g.addresses(), "not trusted here")
}

// copied are the files as they are now, in a folder of their own.
func copied(t *testing.T, files identity.Files) identity.Files {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Dir(files.Cert))); err != nil {
		t.Fatal(err)
	}
	return filesIn(folder, strings.TrimSuffix(filepath.Base(files.Cert), ".crt"))
}

// follower is a server that does not lead.
func (g *guarded) follower() *process {
	g.t.Helper()
	leader := g.leader(g.ctx, g.as("root"))
	for _, p := range g.servers {
		if p != leader {
			return p
		}
	}
	g.t.Fatal("there is no follower")
	return nil
}
