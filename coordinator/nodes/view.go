package nodes

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// Lease is the newest heartbeat of a node's worker.
type Lease struct {
	// BeatAt is the cluster time of its turn; Heard is false where there was none yet.
	BeatAt int64
	// Promised is for how long its worker was told that it counts; 0 for no promise.
	Promised time.Duration
	Heard    bool
}

// View is what a decision about one node is made of. Decide modifies nothing of it.
type View struct {
	Node *kinds.Node
	// Instances are those with a place on a node of that name, in order of namespaces and
	// names.
	Instances []*kinds.Instance
	// Budgets are those of the namespaces of the instances.
	Budgets  []*kinds.Budget
	Policies []*kinds.FailurePolicy
	Lease    Lease
	Token    candor.Token
	Now      int64 // cluster time in nanoseconds
}

// Plan is what is to be done about a node.
type Plan struct {
	// Writes are to be made in order; where one fails the rest is decided anew.
	Writes []controller.Write
	// Next is the cluster time from which the answer may be another although nothing has
	// changed; 0 for none.
	Next int64
	// Message says what was found, in a sentence.
	Message string
}

// The reasons of writes.
const (
	ReasonLost   = "NODE_UNREACHABLE"
	ReasonDrain  = "DRAIN"
	ReasonTaint  = "TAINT"
	ReasonStatus = "STATUS"
	// ReasonCordon closes a node for its silence, ReasonOpened forgets that it was.
	ReasonCordon = "CORDON"
	ReasonOpened = "OPENED"
)

// page is how many instances one plan gives up or evicts at most.
const page = 64

// mine are the instances that are placed on this node, and not on an earlier one of its
// name.
func (v *View) mine() []*kinds.Instance {
	uid := v.Node.Meta().UID
	var mine []*kinds.Instance
	for _, i := range v.Instances {
		if i.Holds() && i.Status.NodeUID == uid {
			mine = append(mine, i)
		}
	}
	return mine
}
