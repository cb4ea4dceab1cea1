package system

import (
	"context"

	"github.com/candor-plane/candor/bench/process"
)

// Orchestrator is a Cluster that places instances on nodes. etcd has nothing of the
// kind.
type Orchestrator interface {
	// Play starts one process that plays so many nodes, and returns once each of them
	// takes instances. The caller kills it.
	Play(ctx context.Context, nodes int) (*process.Child, error)
	// Want asks for so many replicas by each of so many workloads, and returns once that
	// is acknowledged.
	Want(ctx context.Context, workloads, replicas int) error
	// Drain empties the first nodes for good, and returns once that is acknowledged.
	Drain(ctx context.Context, nodes int) error
	// First says whether a node is one of the first n.
	First(node string, n int) bool
	// Follow tells every version of every instance from now on, in order and once each,
	// until ctx ends, and then answers nil. It calls ready once no version is missed.
	Follow(ctx context.Context, ready func(), tell func(Instance)) error
}

// Instance is one version of one.
type Instance struct {
	UID  string
	Node string // empty until it is placed
	// Running: its node says that its process runs; Ready: the control plane says that it
	// is ready; Gone: this was its last version.
	Running, Ready, Gone bool
}
