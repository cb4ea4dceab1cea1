package client

import (
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
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
	// plain: this client speaks no TLS.
	plain   bool
	lines   []*callLine
	turn    atomic.Uint32
	suspect atomic.Int64 // elapsed time until which it is avoided
	served  atomic.Pointer[position]
	near    nearness
}

// position is what the node at an endpoint last said of itself. Immutable.
type position struct {
	nodeID, nodeName, bootID string
	token                    candor.Token
}

func (ep *endpoint) conn() *grpc.ClientConn { return ep.line().conn }

// line is the next connection.
func (ep *endpoint) line() *callLine {
	if len(ep.lines) == 1 {
		return ep.lines[0]
	}
	return ep.lines[int(ep.turn.Add(1))%len(ep.lines)]
}

// observe checks an answer against before, the position that was known when
// its request was sent: within one boot a node never serves an older view.
// Answers that overtake one another are no breach, hence "when it was sent".
func (ep *endpoint) observe(before *position, w *candor.Witness) *freshness.BreachError {
	if before != nil && before.bootID == w.BootID && before.nodeID == w.NodeID {
		if !w.ServedToken.Covers(before.token) {
			return &freshness.BreachError{
				Field: "servedRootToken", Got: w.ServedToken.String(),
				Want: "at least " + before.token.String() + ", which the node has served in this boot",
			}
		}
		if b := conflict(before.token, w.ServedToken); b != nil {
			return b
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
	for _, line := range ep.lines {
		if err := line.close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
