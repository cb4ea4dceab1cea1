package dev

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAFolderKeepsItsNodesAndPorts(t *testing.T) {
	dir := t.TempDir()
	first, err := loadLayout(dir, Options{Nodes: 3, Workers: 1}, "token-a")
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadLayout(dir, Options{}, "token-b")
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Nodes) != 3 || again.Workers != 1 || again.Token != "token-a" || again.InitialCluster() != first.InitialCluster() {
		t.Fatalf("taken up again as %+v, it was %+v", again, first)
	}
	if _, err := loadLayout(dir, Options{Nodes: 5}, ""); candor.ReasonOf(err) != candor.ReasonUsage {
		t.Errorf("another number of nodes: %v", err)
	}
	if l, err := loadLayout(dir, Options{Workers: 3}, ""); err != nil || l.Workers != 3 {
		t.Errorf("more workers: %+v, %v", l, err)
	}
	if _, err := loadLayout(dir, Options{Workers: 2}, ""); candor.ReasonOf(err) != candor.ReasonUsage {
		t.Errorf("fewer workers than the folder has: %v, want USAGE", err)
	}
}

func TestATakenPortIsReplacedInANewFolderAndNamedInAnOldOne(t *testing.T) {
	dir := t.TempDir()
	l, err := loadLayout(dir, Options{Nodes: 1}, "t")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", l.Nodes[0].API)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := loadLayout(dir, Options{}, ""); candor.ReasonOf(err) != candor.ReasonAddressInUse || !strings.Contains(err.Error(), l.Nodes[0].API) {
		t.Errorf("old folder: %v, want the taken address named", err)
	}
	other, err := loadLayout(t.TempDir(), Options{Nodes: 1}, "t")
	if err != nil || other.Nodes[0].API == l.Nodes[0].API {
		t.Errorf("new folder: %+v, %v", other, err)
	}
}

func TestAFolderKeepsWhetherItUsesTLSAndIsNotMixed(t *testing.T) {
	for _, has := range []bool{true, false} {
		dir, other := t.TempDir(), !has
		if _, err := loadLayout(dir, Options{Nodes: 1, TLS: &has}, "t"); err != nil {
			t.Fatal(err)
		}
		for _, again := range []*bool{nil, &has} {
			l, err := loadLayout(dir, Options{TLS: again}, "t")
			if err != nil || l.TLS != has {
				t.Errorf("TLS %v taken up again: %+v, %v", has, l, err)
			}
		}
		if _, err := loadLayout(dir, Options{TLS: &other}, "t"); candor.ReasonOf(err) != candor.ReasonUsage {
			t.Errorf("TLS %v asked to be %v: %v, want USAGE", has, other, err)
		}
	}
}

func TestCertificatesAreMadeOnceAndNameTheServers(t *testing.T) {
	dir := t.TempDir()
	l := Layout{Token: "7b0c1c8a-6a53-4d3e-9d3e-0f5a2a0a7f10", TLS: true, Nodes: []Node{{Name: "n1"}, {Name: "n2"}}}
	first, err := certify(dir, l)
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range first.nodes {
		id, err := server.ServerID(filepath.Join(dir, name), name, "")
		if err != nil {
			t.Fatal(err)
		}
		m, err := identity.Load(files, time.Now())
		if err != nil || m.Self != (candor.Identity{Cluster: l.Token, Party: candor.PartyServer, Name: id}) {
			t.Errorf("%s: %v, %v, want server %s of the cluster", name, m, err, id)
		}
	}
	was, err := identity.Load(first.admin, time.Now())
	if err != nil || was.Self.Actor() != Admin {
		t.Fatalf("admin: %v, %v", was, err)
	}
	again, err := certify(dir, l)
	if err != nil {
		t.Fatal(err)
	}
	is, err := identity.Load(again.admin, time.Now())
	if err != nil || !is.Certificate.Leaf.Equal(was.Certificate.Leaf) {
		t.Errorf("the second start has another certificate: %v, %v", is, err)
	}
}
