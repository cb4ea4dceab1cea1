package server

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// directory knows where other servers serve their API, and keeps one
// connection to each. What it knows are hints: every answer that matters names
// its server.
type directory struct {
	dial func(ctx context.Context, address string) (net.Conn, error)
	// credentials prove who is at the other end.
	credentials func() credentials.TransportCredentials

	mu          sync.Mutex
	addresses   map[string]string
	names       map[string]string
	connections map[string]*grpc.ClientConn
	closed      bool
}

func newDirectory(dial func(ctx context.Context, address string) (net.Conn, error), prove func() credentials.TransportCredentials) *directory {
	return &directory{dial: dial, credentials: prove, addresses: map[string]string{}, names: map[string]string{}, connections: map[string]*grpc.ClientConn{}}
}

// learn records where a server is.
func (d *directory) learn(serverID, name, address string) {
	if serverID == "" || address == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addresses[serverID] = address
	if name != "" {
		d.names[serverID] = name
	}
}

// find is where a server is, and its name; empty when not known.
func (d *directory) find(serverID string) (name, address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.names[serverID], d.addresses[serverID]
}

// peer is a client of the server's peer service.
func (d *directory) peer(serverID string) (candorv1.PeerServiceClient, error) {
	_, address := d.find(serverID)
	if address == "" {
		return nil, candor.Errorf(candor.ReasonUnavailable, "the API address of server %s is not known yet", serverID)
	}
	c, err := d.connection(address)
	if err != nil {
		return nil, err
	}
	return candorv1.NewPeerServiceClient(c), nil
}

// connection is the one to an address; it connects when it is first used.
func (d *directory) connection(address string) (*grpc.ClientConn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.connections[address]; c != nil {
		return c, nil
	}
	if d.closed {
		return nil, candor.Errorf(candor.ReasonShuttingDown, "the server stops")
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(d.credentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 500 * time.Millisecond},
			MinConnectTimeout: time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
	}
	if d.dial != nil {
		options = append(options, grpc.WithContextDialer(d.dial))
	}
	c, err := grpc.NewClient("passthrough:///"+address, options...)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonUnavailable, "server at %s: %w", address, err)
	}
	d.connections[address] = c
	return c, nil
}

func (d *directory) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, c := range d.connections {
		_ = c.Close()
	}
	d.connections = map[string]*grpc.ClientConn{}
}
