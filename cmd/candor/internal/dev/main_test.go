package dev

import (
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAFolderKeepsItsNodesAndPorts(t *testing.T) {
	dir := t.TempDir()
	first, err := loadLayout(dir, 3, "token-a")
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadLayout(dir, 0, "token-b")
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Nodes) != 3 || again.Token != "token-a" || again.InitialCluster() != first.InitialCluster() {
		t.Fatalf("taken up again as %+v, it was %+v", again, first)
	}
	if _, err := loadLayout(dir, 5, ""); candor.ReasonOf(err) != candor.ReasonUsage {
		t.Errorf("another number of nodes: %v", err)
	}
}

func TestATakenPortIsReplacedInANewFolderAndNamedInAnOldOne(t *testing.T) {
	dir := t.TempDir()
	l, err := loadLayout(dir, 1, "t")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", l.Nodes[0].API)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := loadLayout(dir, 0, ""); candor.ReasonOf(err) != candor.ReasonAddressInUse || !strings.Contains(err.Error(), l.Nodes[0].API) {
		t.Errorf("old folder: %v, want the taken address named", err)
	}
	other, err := loadLayout(t.TempDir(), 1, "t")
	if err != nil || other.Nodes[0].API == l.Nodes[0].API {
		t.Errorf("new folder: %+v, %v", other, err)
	}
}
