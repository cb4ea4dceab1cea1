package gossip

import (
	"net"
	"strings"
	"testing"

	"github.com/hashicorp/memberlist"

	candor "github.com/candor-plane/candor"
)

// libraryNode is a server as memberlist hands it to callbacks.
func libraryNode(t *testing.T, id Identity, port int) *memberlist.Node {
	t.Helper()
	return &memberlist.Node{
		Name: id.ServerID, Addr: net.IPv4(127, 0, 0, 1).To4(), Port: uint16(port),
		Meta: mustEncode(t, Meta{Identity: id}),
	}
}

func testDelegate() *delegate {
	return &delegate{clusterID: testCluster, serverID: serverID(1), box: newMailbox(16), roster: newRoster(3), refused: &refusalCounts{}}
}

func TestAnnouncementsOfOtherClustersAreRefusedWithBothIDs(t *testing.T) {
	d := testDelegate()
	id := identity(2)
	id.ClusterID = "other"
	err := d.NotifyAlive(libraryNode(t, id, 7002))
	if candor.ReasonOf(err) != candor.ReasonClusterMismatch {
		t.Fatalf("error %v, want %s", err, candor.ReasonClusterMismatch)
	}
	for _, want := range []string{"other", testCluster, id.ServerID, "127.0.0.1:7002"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
	if got := d.refused.byReason()[candor.ReasonClusterMismatch]; got != 1 {
		t.Errorf("%d refusals counted, want 1", got)
	}
}

func TestAnnouncementsUnderAnotherServersNameAreRefused(t *testing.T) {
	d := testDelegate()
	node := libraryNode(t, identity(2), 7002)
	node.Name = serverID(3)
	if err := d.NotifyAlive(node); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Fatalf("error %v, want %s", err, candor.ReasonInvalid)
	}
}

func TestAnnouncementsThatCannotBeReadAreRefused(t *testing.T) {
	d := testDelegate()
	node := libraryNode(t, identity(2), 7002)
	node.Meta = []byte("not ours")
	if err := d.NotifyAlive(node); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Fatalf("error %v, want %s", err, candor.ReasonInvalid)
	}
	if got := d.refused.byReason()[candor.ReasonInvalid]; got != 1 {
		t.Errorf("%d refusals counted, want 1", got)
	}
}

func TestAMergeWithAnotherClusterIsRefusedWhole(t *testing.T) {
	d := testDelegate()
	foreign := identity(3)
	foreign.ClusterID = "other"
	peers := []*memberlist.Node{libraryNode(t, identity(2), 7002), libraryNode(t, foreign, 7003)}
	if err := d.NotifyMerge(peers); candor.ReasonOf(err) != candor.ReasonClusterMismatch {
		t.Fatalf("error %v, want %s", err, candor.ReasonClusterMismatch)
	}
}

// One server of a later build must not keep its whole cluster apart.
func TestAMergeGoesOnWhenOneServerCannotBeRead(t *testing.T) {
	d := testDelegate()
	newer := libraryNode(t, identity(3), 7003)
	newer.Meta[0] = metaVersion + 1
	if err := d.NotifyMerge([]*memberlist.Node{libraryNode(t, identity(2), 7002), newer}); err != nil {
		t.Fatal(err)
	}
}

func TestInventedServersFindNoPlaceAndMembersKeepTheirs(t *testing.T) {
	d := testDelegate()
	tb := newTable(serverID(1), d.roster)
	for n := 1; n <= 3; n++ {
		node := libraryNode(t, identity(n), 7000+n)
		if err := d.NotifyAlive(node); err != nil {
			t.Fatal(err)
		}
		d.NotifyJoin(node)
		tb.alive(aliveNote(n, 0, "a"))
	}
	fourth := libraryNode(t, identity(4), 7004)
	if err := d.NotifyAlive(fourth); candor.ReasonOf(err) != candor.ReasonQueueSaturated {
		t.Fatalf("error %v, want %s", err, candor.ReasonQueueSaturated)
	}
	if err := d.NotifyAlive(libraryNode(t, identity(2), 7002)); err != nil {
		t.Errorf("a member lost its place: %v", err)
	}
	tb.makeRoom()
	if err := d.NotifyAlive(fourth); err == nil {
		t.Error("a live member was dropped for a new one")
	}
	tb.gone(note{id: serverID(2), meta: Meta{Identity: identity(2)}, at: at(1)})
	tb.makeRoom()
	if err := d.NotifyAlive(fourth); err != nil {
		t.Errorf("the place of a dead member was not freed: %v", err)
	}
}
