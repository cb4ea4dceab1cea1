// Package link connects servers over TCP, for Raft and for what servers ask one
// another about reads. A Raft
// address here is "SERVER-ID@HOST:PORT", and every connection begins by naming
// its purpose, the cluster and the server that it is meant for.
//
// It guarantees that a server only ever hears what was meant for its own ID and
// cluster: a server that was wiped and came back at its old address under a new
// ID cannot vote, acknowledge or confirm under the old one. What it refuses it
// says to both sides. Package server makes it; raft and package server call it.
package link

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// Config of a Layer, which owns the listener; all but Secure is required.
type Config struct {
	// Secure has both ends prove who they are; nil where nothing proves it, and a
	// connection says of itself whose it is.
	Secure Secure

	Listener            net.Listener
	Dial                func(ctx context.Context, hostPort string) (net.Conn, error)
	ClusterID, ServerID string
	Logger              hclog.Logger
}

// Answers is what a server says to its peers; both may be called concurrently.
type Answers interface {
	// Confirm answers from memory, without waiting.
	Confirm(q Question) Answer
	// Prove has a majority confirm this server's leadership, for the server that
	// asks and was in a term then. The context ends when that server hung up.
	Prove(ctx context.Context, from string, term uint64) Proof
}

// Layer is a raft.StreamLayer, and carries calls between peers.
type Layer struct {
	config   Config
	answers  Answers
	broken   func(serverID string)
	started  atomic.Bool
	accepted chan net.Conn
	done     chan struct{}
	close    sync.Once
	wait     sync.WaitGroup

	mu sync.Mutex
	// askers are by server ID; serving are the connections that peers ask on.
	askers  map[string]*asker
	serving map[net.Conn]struct{}
	closed  bool
}

// hello is the first line of a connection, and welcome the line in return.
type hello struct {
	Protocol string `json:"protocol"`
	Cluster  string `json:"cluster"`
	From     string `json:"from"`
	To       string `json:"to"`
}

type welcome struct {
	Refused string `json:"refused,omitempty"`
}

// The purposes of a connection.
const (
	forRaft  = "candor-raft/1"
	forCalls = "candor-calls/1"
)

const (
	helloTimeout = 2 * time.Second
	maxHello     = 1024
)

// New returns a layer that neither accepts nor dials before Start.
func New(config Config) *Layer {
	if config.Listener == nil || config.Dial == nil || config.ClusterID == "" || config.ServerID == "" || config.Logger == nil {
		panic("link: every field of Config but Secure is required")
	}
	return &Layer{
		config: config, accepted: make(chan net.Conn), done: make(chan struct{}),
		askers: map[string]*asker{}, serving: map[net.Conn]struct{}{},
	}
}

// Start begins to accept and to dial. answers are for peers. broken hears when a Raft connection that a server
// began is ended by it or breaks; it must not block.
func (l *Layer) Start(answers Answers, broken func(serverID string)) {
	l.answers, l.broken = answers, broken
	l.started.Store(true)
	l.wait.Go(l.run)
}

// Address is a server's Raft address.
func Address(serverID, hostPort string) raft.ServerAddress {
	return raft.ServerAddress(serverID + "@" + hostPort)
}

// HostPort is the part of a Raft address that is dialled.
func HostPort(address raft.ServerAddress) string {
	if _, hostPort, ok := strings.Cut(string(address), "@"); ok {
		return hostPort
	}
	return string(address)
}

// Accept returns the next connection that was meant for this server.
func (l *Layer) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Addr is the bound address, as Raft knows it.
func (l *Layer) Addr() net.Addr {
	return address(Address(l.config.ServerID, l.config.Listener.Addr().String()))
}

// Close ends the layer and waits for its goroutines. Connections that were
// handed out are raft's to close.
func (l *Layer) Close() error {
	var err error
	l.close.Do(func() {
		close(l.done)
		err = l.config.Listener.Close()
		l.hangUp()
	})
	l.wait.Wait()
	return err
}

// Dial connects to a server by its Raft address, and fails if somebody else
// answers there.
func (l *Layer) Dial(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	id, hostPort, ok := strings.Cut(string(to), "@")
	if !ok {
		return nil, candor.Errorf(candor.ReasonInvalid, "raft address %q: want SERVER-ID@HOST:PORT", to)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return l.connect(ctx, id, hostPort, forRaft)
}

func (l *Layer) connect(ctx context.Context, id, hostPort, purpose string) (net.Conn, error) {
	if !l.started.Load() {
		return nil, candor.Errorf(candor.ReasonUnavailable, "the server is not ready to speak yet")
	}
	raw, err := l.config.Dial(ctx, hostPort)
	if err != nil {
		return nil, err
	}
	c, err := l.secured(ctx, raw, id, purpose)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	if err := l.greet(ctx, c, id, purpose); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (l *Layer) greet(ctx context.Context, c net.Conn, to, purpose string) error {
	deadline := time.Now().Add(helloTimeout)
	if sooner, ok := ctx.Deadline(); ok && sooner.Before(deadline) {
		deadline = sooner
	}
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	line, err := json.Marshal(hello{Protocol: purpose, Cluster: l.config.ClusterID, From: l.config.ServerID, To: to})
	if err != nil {
		return err
	}
	if _, err := c.Write(append(line, '\n')); err != nil {
		return err
	}
	var a welcome
	if err := readLine(c, &a); err != nil {
		return err
	}
	if a.Refused != "" {
		return candor.Errorf(candor.ReasonClusterMismatch, "%s refused a connection: %s", c.RemoteAddr(), a.Refused)
	}
	return c.SetDeadline(time.Time{})
}

func (l *Layer) run() {
	for {
		c, err := l.config.Listener.Accept()
		if err != nil {
			return
		}
		l.wait.Go(func() { l.admit(c) })
	}
}

// admit serves the connection, or hands it to raft, if it was meant for this
// server.
func (l *Layer) admit(raw net.Conn) {
	c, caller, err := l.proven(raw)
	if err != nil {
		l.refusedHandshake(raw.RemoteAddr().String(), err)
		_ = raw.Close()
		return
	}
	h, refused, err := l.check(c, caller)
	if err != nil || refused != "" {
		if refused != "" {
			l.config.Logger.Warn("connection refused", "from", c.RemoteAddr().String(), "why", refused)
		}
		_ = c.Close()
		return
	}
	if h.Protocol == forCalls {
		l.serve(c, h.From)
		return
	}
	select {
	case l.accepted <- &inbound{Conn: c, layer: l, from: h.From}:
	case <-l.done:
		_ = c.Close()
	}
}

// check reads the first line. caller is who is proven to be there; empty where
// nothing is.
func (l *Layer) check(c net.Conn, caller string) (h hello, refused string, err error) {
	if err := c.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return h, "", err
	}
	if err := readLine(c, &h); err != nil {
		return h, "", err
	}
	switch {
	case h.Protocol != forRaft && h.Protocol != forCalls:
		refused = "it speaks neither " + forRaft + " nor " + forCalls
	case h.Cluster != l.config.ClusterID:
		refused = "it belongs to cluster " + h.Cluster + "; this server is of cluster " + l.config.ClusterID
	case caller != "" && h.From != caller:
		refused = "it says that it comes from server " + h.From + ", and its certificate is of server " + caller
	case h.To != l.config.ServerID:
		refused = "it is meant for server " + h.To + "; this is server " + l.config.ServerID + ", so the other is gone: remove it and join this one as new"
	}
	line, err := json.Marshal(welcome{Refused: refused})
	if err != nil {
		return h, refused, err
	}
	if _, err := c.Write(append(line, '\n')); err != nil {
		return h, refused, err
	}
	return h, refused, c.SetDeadline(time.Time{})
}

// readLine reads one line byte by byte, so that nothing after it is consumed.
func readLine(c net.Conn, into any) error {
	var line, one = make([]byte, 0, 256), make([]byte, 1)
	for len(line) < maxHello {
		if _, err := io.ReadFull(c, one); err != nil {
			return err
		}
		if one[0] == '\n' {
			return json.Unmarshal(line, into)
		}
		line = append(line, one[0])
	}
	return candor.Errorf(candor.ReasonInvalid, "the first line is longer than %d bytes", maxHello)
}

type address string

func (address) Network() string  { return "candor-raft" }
func (a address) String() string { return string(a) }
