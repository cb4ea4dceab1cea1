package gossip

import (
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	candor "github.com/candor-plane/candor"
)

// delegate is every callback that memberlist knows. Most run under the library's
// node lock, so each one decodes, posts to the mailbox and returns; none logs,
// calls the library, or waits.
type delegate struct {
	clusterID string
	serverID  string
	box       *mailbox
	roster    *roster
	announced atomic.Pointer[[]byte]
	refused   *refusalCounts
}

var (
	_ memberlist.Delegate         = (*delegate)(nil)
	_ memberlist.EventDelegate    = (*delegate)(nil)
	_ memberlist.ConflictDelegate = (*delegate)(nil)
	_ memberlist.MergeDelegate    = (*delegate)(nil)
	_ memberlist.PingDelegate     = (*delegate)(nil)
	_ memberlist.AliveDelegate    = (*delegate)(nil)
)

// NotifyAlive lets a server into the member list. It also hears announcements
// that the list itself ignores as old, and so learns of a goodbye that arrived
// after the death it explains.
func (d *delegate) NotifyAlive(node *memberlist.Node) error {
	meta, err := d.admit(node)
	if err != nil {
		d.refuse(node, meta, err)
		return err
	}
	if !d.roster.hasRoom(meta.ServerID) {
		err := candor.Errorf(candor.ReasonQueueSaturated,
			"server %s at %s is one too many for a table of %d", meta.ServerID, nodeAddr(node), d.roster.max)
		d.refuse(node, meta, err)
		return err
	}
	if meta.Leaving && meta.ServerID != d.serverID {
		d.box.post(note{kind: noteLeaving, id: meta.ServerID, meta: meta, at: time.Now()})
	}
	return nil
}

// NotifyMerge refuses a whole exchange when the peer knows a server of another
// cluster. What it cannot read it leaves to NotifyAlive, server by server: one
// newer member must not keep the others apart.
func (d *delegate) NotifyMerge(peers []*memberlist.Node) error {
	for _, node := range peers {
		meta, err := d.admit(node)
		if candor.ReasonOf(err) == candor.ReasonClusterMismatch {
			d.refuse(node, meta, err)
			return err
		}
	}
	return nil
}

func (d *delegate) NotifyJoin(node *memberlist.Node)   { d.presence(noteAlive, node) }
func (d *delegate) NotifyUpdate(node *memberlist.Node) { d.presence(noteAlive, node) }
func (d *delegate) NotifyLeave(node *memberlist.Node)  { d.presence(noteGone, node) }

// NotifyConflict hears of one server ID at two addresses. It may be a server
// that moved before its death was noticed, or two live ones: probes will tell.
func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	d.box.post(note{
		kind: noteConflict, id: existing.Name, at: time.Now(),
		existing: claimOf(existing), other: claimOf(other),
	})
}

// NotifyPingComplete hears of each answered probe.
func (d *delegate) NotifyPingComplete(node *memberlist.Node, rtt time.Duration, _ []byte) {
	d.box.post(note{kind: noteAnswered, id: node.Name, at: time.Now(), rtt: rtt})
}

// NodeMeta returns what this node announces. It fits any limit that the library
// asks for: Start and announce let nothing larger through.
func (d *delegate) NodeMeta(int) []byte { return *d.announced.Load() }

// AckPayload, and the user messages and user state below, are not used.
func (d *delegate) AckPayload() []byte              { return nil }
func (d *delegate) NotifyMsg([]byte)                {}
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }
func (d *delegate) LocalState(bool) []byte          { return nil }
func (d *delegate) MergeRemoteState([]byte, bool)   {}

// admit decides whether a node may be a member; the error's reason says why not.
func (d *delegate) admit(node *memberlist.Node) (Meta, error) {
	meta, err := decodeMeta(node.Meta)
	if err != nil {
		return Meta{}, err
	}
	if meta.ClusterID != d.clusterID {
		return meta, candor.Errorf(candor.ReasonClusterMismatch,
			"server %s (%s) at %s belongs to cluster %s, not to %s",
			meta.ServerID, meta.Name, nodeAddr(node), meta.ClusterID, d.clusterID)
	}
	if meta.ServerID != node.Name {
		return meta, refuse("server %q at %s announces itself as %s", node.Name, nodeAddr(node), meta.ServerID)
	}
	return meta, nil
}

func (d *delegate) refuse(node *memberlist.Node, meta Meta, err error) {
	reason := candor.ReasonOf(err)
	d.refused.add(reason)
	d.box.post(note{
		kind: noteRefused, id: node.Name, addr: nodeAddr(node), meta: meta, reason: reason, at: time.Now(),
	})
}

func (d *delegate) presence(kind noteKind, node *memberlist.Node) {
	meta, err := decodeMeta(node.Meta)
	if err != nil {
		d.refuse(node, Meta{}, err)
		return
	}
	d.roster.add(node.Name)
	d.box.post(note{kind: kind, id: node.Name, addr: nodeAddr(node), meta: meta, at: time.Now()})
}

func nodeAddr(node *memberlist.Node) string {
	return net.JoinHostPort(node.Addr.String(), strconv.Itoa(int(node.Port)))
}
