package replica

import (
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// transportTimeout bounds a replication message; a snapshot takes longer in
// proportion to its size.
const transportTimeout = 2 * time.Second

// NewTransport carries raft's messages over streams. It owns the layer; the
// replica that it is given to closes it.
func NewTransport(layer raft.StreamLayer, logger hclog.Logger) *raft.NetworkTransport {
	if layer == nil || logger == nil {
		panic("replica: a transport needs a stream layer and a logger")
	}
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: layer, Logger: logger, MaxPool: 4, Timeout: transportTimeout,
		// A second message on its way may wedge replication when the first is refused.
		MaxRPCsInFlight:         1,
		MsgpackUseNewTimeFormat: true,
	})
}
