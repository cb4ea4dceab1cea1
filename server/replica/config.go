package replica

import (
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// Config is what New needs. Machine, Transport, Peers, Logger and one of Dir
// and Memory are required; with neither the data are in a new Memory.
type Config struct {
	// Dir is open; the replica closes it. Its identity gives the server's ID.
	Dir    *datadir.Dir
	Memory *Memory
	// ServerID is needed without Dir, and checked against it with one.
	ServerID string

	Machine *fsm.Machine
	// Transport is closed by the replica.
	Transport raft.Transport
	Peers     Peers
	Settings  Settings

	// WrapLogStore puts something between the replica and its log store: a
	// slow disk, for a test. Nil for nothing.
	WrapLogStore func(raft.LogStore) raft.LogStore
	// Clock is SystemClock when nil.
	Clock  Clock
	Logger hclog.Logger
	// OnFatal is told, once, of what the replica cannot survive. When it returns
	// the replica serves what it has and accepts nothing. Nil writes one line to
	// stderr and ends the process.
	OnFatal func(error)
}

func (c Config) complete() (Config, error) {
	switch {
	case c.Machine == nil:
		return c, candor.Errorf(candor.ReasonInternal, "replica needs a state machine")
	case c.Transport == nil:
		return c, candor.Errorf(candor.ReasonInternal, "replica needs a transport")
	case c.Peers == nil:
		return c, candor.Errorf(candor.ReasonInternal, "replica needs its peers")
	case c.Logger == nil:
		return c, candor.Errorf(candor.ReasonInternal, "replica needs a logger")
	case c.Dir != nil && c.Memory != nil:
		return c, candor.Errorf(candor.ReasonInternal, "replica has a directory and a memory: choose one")
	}
	if c.Dir != nil {
		id := c.Dir.Identity()
		if c.ServerID != "" && c.ServerID != id.ServerID {
			return c, candor.Errorf(candor.ReasonDataForeign, "the data directory is of server %s, this is %s", id.ServerID, c.ServerID)
		}
		if of := c.Machine.View().ClusterID(); id.ClusterID != "" && id.ClusterID != of {
			return c, candor.Errorf(candor.ReasonDataForeign, "the data directory is of cluster %s, the state machine of %s", id.ClusterID, of)
		}
		c.ServerID = id.ServerID
	} else if c.Memory == nil {
		c.Memory = NewMemory()
	}
	if c.ServerID == "" {
		return c, candor.Errorf(candor.ReasonInternal, "replica needs a server ID")
	}
	if c.WrapLogStore == nil {
		c.WrapLogStore = func(s raft.LogStore) raft.LogStore { return s }
	}
	if c.Clock == nil {
		c.Clock = SystemClock{}
	}
	if c.OnFatal == nil {
		c.OnFatal = exit
	}
	return c, c.Settings.Check()
}
