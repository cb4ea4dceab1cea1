package client

import (
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
)

// How long calls that may choose avoid an endpoint after it failed.
const (
	suspectUnreachable = 500 * time.Millisecond
	suspectSilent      = 5 * time.Second
)

// endpoint is one address and the connections to it.
type endpoint struct {
	addr       string
	configured bool
	conns      []*grpc.ClientConn
	turn       atomic.Uint32
	suspect    atomic.Int64 // elapsed time until which it is avoided
	served     atomic.Pointer[position]
}

// position is what the node at an endpoint last said of itself. Immutable.
type position struct {
	nodeID, nodeName, bootID string
	token                    candor.Token
}

func (ep *endpoint) conn() *grpc.ClientConn {
	if len(ep.conns) == 1 {
		return ep.conns[0]
	}
	return ep.conns[int(ep.turn.Add(1))%len(ep.conns)]
}

// observe checks an answer against before, the position that was known when
// its request was sent: within one boot a node never serves an older view.
// Answers that overtake one another are no breach, hence "when it was sent".
func (ep *endpoint) observe(before *position, w *candor.Witness) error {
	if before != nil && before.bootID == w.BootID && before.nodeID == w.NodeID && !w.ServedToken.Covers(before.token) {
		return &candor.Error{
			Reason: candor.ReasonTokenConflict, Subject: w.NodeID,
			Message: "node " + nameOf(w) + " went back from " + before.token.String() + " to " + w.ServedToken.String() + " within one boot",
		}
	}
	for {
		known := ep.served.Load()
		if known != nil && known.nodeID == w.NodeID {
			if known.bootID == w.BootID && known.token.Covers(w.ServedToken) {
				return nil
			}
			if known.bootID != w.BootID && before != nil && before.bootID == w.BootID {
				return nil // a late answer of the boot before
			}
		}
		next := &position{nodeID: w.NodeID, nodeName: w.NodeName, bootID: w.BootID, token: w.ServedToken}
		if ep.served.CompareAndSwap(known, next) {
			return nil
		}
	}
}

// answered ends the suspicion that a failure before raised.
func (ep *endpoint) answered() {
	if ep.suspect.Load() != 0 {
		ep.suspect.Store(0)
	}
}

func (ep *endpoint) isNode(id, name string) bool {
	known := ep.served.Load()
	return known != nil && (id != "" && known.nodeID == id || name != "" && known.nodeName == name)
}

func (ep *endpoint) close() error {
	var first error
	for _, conn := range ep.conns {
		if err := conn.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func nameOf(w *candor.Witness) string {
	if w.NodeName != "" {
		return w.NodeName
	}
	return w.NodeID
}
