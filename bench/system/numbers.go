package system

import "context"

// Numbers are what a system hands out, each once in the life of the cluster.
type Numbers string

// The numbers.
const (
	IDs Numbers = "ids"
	// Timestamps are above every one that was handed out before they were asked for.
	Timestamps Numbers = "timestamps"
)

// Allocator is a Conn to a system that hands out numbers. etcd has nothing of the
// kind: a revision costs a write, and so does a lease, whose ID promises no order.
type Allocator interface {
	// Allocate takes count numbers in a row.
	Allocate(ctx context.Context, what Numbers, count uint64) error
}
