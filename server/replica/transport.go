package replica

import (
	"net"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
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

// TCP is a stream layer without encryption.
type TCP struct {
	net.Listener
	advertised net.Addr
}

var _ raft.StreamLayer = (*TCP)(nil)

// ListenTCP listens on address and tells peers to use advertise, or the bound
// address when that is empty.
func ListenTCP(address, advertise string) (*TCP, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, candor.Wrap("listen for peers", &candor.Error{Reason: candor.ReasonAddressInUse, Subject: address, Message: err.Error(), Err: err})
	}
	t := &TCP{Listener: listener, advertised: listener.Addr()}
	if advertise == "" {
		return t, nil
	}
	t.advertised, err = net.ResolveTCPAddr("tcp", advertise)
	if err != nil {
		_ = listener.Close()
		return nil, candor.Errorf(candor.ReasonInvalid, "advertised address %q: %w", advertise, err)
	}
	return t, nil
}

// Addr is what peers use.
func (t *TCP) Addr() net.Addr { return t.advertised }

// Dial connects to a peer.
func (t *TCP) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout("tcp", string(address), timeout)
}
