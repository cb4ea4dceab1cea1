// Package system is the seam between the experiments and the systems that they
// measure: what a cluster of three member processes must be able to do, and what
// a client of it must be able to ask, in the same words for both sides.
//
// It guarantees nothing by itself; it states what an implementation owes. An
// implementation refuses rather than approximates: an operation that it cannot
// do with the stated meaning answers an error, and the row says so.
package system

import (
	"context"
	"time"

	"github.com/candor-plane/candor/bench/process"
)

// Members is the size of every measured cluster.
const Members = 3

// System starts clusters of one kind.
type System interface {
	// Describe names what is measured, for the report.
	Describe() Description
	// Start runs Members member processes and returns once a leader is elected
	// and every member answers a local read; in a secured cluster, once every
	// member judges what is asked of it. ctx bounds the start only. What was
	// started is ended when Start answers an error.
	Start(ctx context.Context, settings Settings) (Cluster, error)
	// EncodedBytes is what the system's client sends for one object, name and
	// spec and whatever metadata its encoding carries.
	EncodedBytes(o Object) int
}

// Description says what a side is and how it was set up.
type Description struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Settings lists every setting that is not the system's default.
	Settings []string `json:"settings"`
}

// Settings of one cluster.
type Settings struct {
	// Dir exists, is empty, belongs to the cluster and lies on the measured disk.
	// What members store goes into directories under it, as do a secured cluster's
	// certificates; logs and configurations lie directly in it and do not count as
	// disk use.
	Dir string
	// Security of the cluster and of every connection that is dialled to it.
	Security Security
	// Spawner starts the members; the cluster does not close it.
	Spawner *process.Spawner
	// Election is the time without a leader's sign after which a member stands
	// for election, Heartbeat the time between such signs; both zero for the
	// system's own defaults.
	Election, Heartbeat time.Duration
	// FsyncDelay is added to every fsync of every member (process.Command).
	FsyncDelay time.Duration
	// ValueBytes is the size to which a side pads what it stores for one object,
	// where that exceeds the object's own; zero for no padding. The scale rows
	// set it to the larger of both sides' EncodedBytes.
	ValueBytes int
}

// Cluster is three running member processes. Methods may be called concurrently.
type Cluster interface {
	// Processes are the members: killed, started again and accounted there. The
	// place of a member in it is the member number everywhere else.
	Processes() *process.Group
	// Address is the host:port on which member i takes client connections.
	Address(member int) string
	// Leader is the member that a majority takes for the leader; it waits for
	// one until ctx ends.
	Leader(ctx context.Context) (int, error)
	// Dial opens one client connection to each of the given members, ready to
	// use. Given one member, every request goes to that member; given several,
	// the system's own client chooses and fails over.
	Dial(ctx context.Context, members ...int) (Conn, error)
	// Close kills the members and waits for them. Connections are closed before.
	Close() error
}

// Conn is one client connection. Methods may be called concurrently.
type Conn interface {
	Client
	Bulk
	// Close releases the connection; requests in flight fail.
	Close() error
}
