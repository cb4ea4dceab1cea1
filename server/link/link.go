// Package link carries Raft between servers over TCP. A Raft address here is
// "SERVER-ID@HOST:PORT", and every connection begins by naming the cluster and
// the server that it is meant for.
//
// It guarantees that a server only ever hears Raft messages that were meant
// for its own ID and cluster: a server that was wiped and came back at its old
// address under a new ID cannot vote or acknowledge under the old one. What it
// refuses it says to both sides. Package server makes it and raft calls it.
package link

import (
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// Layer is a raft.StreamLayer.
type Layer struct {
	listener  net.Listener
	clusterID string
	serverID  string
	logger    hclog.Logger
	accepted  chan net.Conn
	done      chan struct{}
	close     sync.Once
	wait      sync.WaitGroup
}

// hello is the first line of a connection, and answer the line in return.
type hello struct {
	Protocol string `json:"protocol"`
	Cluster  string `json:"cluster"`
	From     string `json:"from"`
	To       string `json:"to"`
}

type answer struct {
	Refused string `json:"refused,omitempty"`
}

const (
	protocol     = "candor-raft/1"
	helloTimeout = 2 * time.Second
	maxHello     = 1024
)

// Listen binds the address and begins to accept.
func Listen(address, clusterID, serverID string, logger hclog.Logger) (*Layer, error) {
	if clusterID == "" || serverID == "" || logger == nil {
		panic("link: cluster ID, server ID and logger are required")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonAddressInUse, "raft: cannot listen on %s: %w", address, err)
	}
	l := &Layer{
		listener: listener, clusterID: clusterID, serverID: serverID, logger: logger,
		accepted: make(chan net.Conn), done: make(chan struct{}),
	}
	l.wait.Add(1)
	go l.run()
	return l, nil
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
	return address(Address(l.serverID, l.listener.Addr().String()))
}

// Close ends the layer and waits for its goroutines. Connections that were
// handed out are raft's to close.
func (l *Layer) Close() error {
	var err error
	l.close.Do(func() {
		close(l.done)
		err = l.listener.Close()
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
	c, err := net.DialTimeout("tcp", hostPort, timeout)
	if err != nil {
		return nil, err
	}
	if err := l.greet(c, id, timeout); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (l *Layer) greet(c net.Conn, to string, timeout time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	line, err := json.Marshal(hello{Protocol: protocol, Cluster: l.clusterID, From: l.serverID, To: to})
	if err != nil {
		return err
	}
	if _, err := c.Write(append(line, '\n')); err != nil {
		return err
	}
	var a answer
	if err := readLine(c, &a); err != nil {
		return err
	}
	if a.Refused != "" {
		return candor.Errorf(candor.ReasonClusterMismatch, "%s refused a Raft connection: %s", c.RemoteAddr(), a.Refused)
	}
	return c.SetDeadline(time.Time{})
}

func (l *Layer) run() {
	defer l.wait.Done()
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.wait.Add(1)
		go l.admit(c)
	}
}

// admit hands the connection to raft if it was meant for this server.
func (l *Layer) admit(c net.Conn) {
	defer l.wait.Done()
	refused, err := l.check(c)
	if err != nil || refused != "" {
		if refused != "" {
			l.logger.Warn("raft connection refused", "from", c.RemoteAddr().String(), "why", refused)
		}
		_ = c.Close()
		return
	}
	select {
	case l.accepted <- c:
	case <-l.done:
		_ = c.Close()
	}
}

func (l *Layer) check(c net.Conn) (refused string, err error) {
	if err := c.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return "", err
	}
	var h hello
	if err := readLine(c, &h); err != nil {
		return "", err
	}
	switch {
	case h.Protocol != protocol:
		refused = "it speaks another protocol than " + protocol
	case h.Cluster != l.clusterID:
		refused = "it belongs to cluster " + h.Cluster + "; this server is of cluster " + l.clusterID
	case h.To != l.serverID:
		refused = "it is meant for server " + h.To + "; this is server " + l.serverID + ", so the other is gone: remove it and join this one as new"
	}
	line, err := json.Marshal(answer{Refused: refused})
	if err != nil {
		return refused, err
	}
	if _, err := c.Write(append(line, '\n')); err != nil {
		return refused, err
	}
	return refused, c.SetDeadline(time.Time{})
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
