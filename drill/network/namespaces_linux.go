package network

import (
	"context"
	endian "encoding/binary"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"sync"

	"github.com/candor-plane/candor"
)

// namespaces is a network in which every server has a network namespace of its
// own, joined by a bridge in another, where the clients are. The machine's own
// network has no part in it.
//
// Namespaces have no name: they live by the files that hold them open here and
// by the servers in them, so that the kernel removes them, and the devices in
// them, however this process ends.
//
// Each place knows the hardware addresses of the others from the beginning. What
// befalls a direction does so on the wire: the sender is told another address of
// the receiver, which leads there. A direction that is whole has no part in that.
type namespaces struct {
	ways *ways
	hub  *namespace
	wire *wire

	mu sync.Mutex
	// places are by the server's name.
	places map[string]*namespace
	wait   sync.WaitGroup
}

const (
	clientsNumber = 100
	probePort     = 9
)

func inetAddress(number int) string { return fmt.Sprintf("10.83.0.%d", number) }

func hardwareAddress(number int) string { return fmt.Sprintf("02:00:00:00:00:%02x", number) }

// newNamespaces is refused where this process may not make namespaces.
func newNamespaces(w *ways) (carrier, error) {
	refuse := func(err error) error {
		return candor.Errorf(candor.ReasonUnimplemented, "network of namespaces: %w", err)
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, refuse(fmt.Errorf("iproute2 is not installed: %w", err))
	}
	if err := wakeLoopback(); err != nil {
		return nil, refuse(err)
	}
	hub, err := newNamespace(clientsNumber)
	if err != nil {
		return nil, refuse(err)
	}
	n := &namespaces{ways: w, hub: hub, places: map[string]*namespace{}}
	for _, args := range [][]string{
		{"link", "add", "bridge", "type", "bridge"},
		{"link", "set", "bridge", "address", hardwareAddress(clientsNumber), "up"},
		{"address", "add", inetAddress(clientsNumber) + "/24", "dev", "bridge"},
	} {
		if err := hub.configure(args...); err != nil {
			return nil, refuse(errors.Join(err, hub.close()))
		}
	}
	if n.wire, err = newWire(hub, w, n.name); err != nil {
		return nil, refuse(errors.Join(err, hub.close()))
	}
	return n, nil
}

func (n *namespaces) place(name, api, raft string) (*Placement, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	number := len(n.places) + 1
	if number >= clientsNumber {
		return nil, candor.Errorf(candor.ReasonInvalid, "place %q: want fewer than %d servers", name, clientsNumber)
	}
	space, err := newNamespace(number)
	if err != nil {
		return nil, err
	}
	if err := n.join(space); err != nil {
		return nil, errors.Join(err, space.close())
	}
	n.places[name] = space
	n.receive(space, name)
	at := func(address string) string {
		_, port, _ := net.SplitHostPort(address)
		return net.JoinHostPort(inetAddress(number), port)
	}
	return &Placement{Name: name, API: at(api), Raft: at(raft), within: space.within, began: func() {}}, nil
}

// join connects a place and has it and the others know one another.
func (n *namespaces) join(space *namespace) error {
	device := fmt.Sprintf("to%d", space.number)
	for _, step := range []struct {
		in   *namespace
		args []string
	}{
		{n.hub, []string{
			"link", "add", device, "type", "veth",
			"peer", "name", "eth0", "address", hardwareAddress(space.number), "netns", space.path(),
		}},
		{n.hub, []string{"link", "set", device, "master", "bridge", "up"}},
		{space, []string{"link", "set", "lo", "up"}},
		{space, []string{"link", "set", "eth0", "up"}},
		{space, []string{"address", "add", inetAddress(space.number) + "/24", "dev", "eth0"}},
	} {
		if err := step.in.configure(step.args...); err != nil {
			return err
		}
	}
	if err := errors.Join(n.hub.await(device, forwards), n.hub.await(device, up), space.await("eth0", up)); err != nil {
		return err
	}
	known := []*namespace{n.hub}
	for _, other := range n.places {
		known = append(known, other)
	}
	for _, other := range known {
		if err := errors.Join(n.know(space, other, hardwareAddress(other.number)), n.know(other, space, hardwareAddress(space.number))); err != nil {
			return err
		}
	}
	return space.within(func() (err error) {
		space.probe, err = net.ListenPacket("udp4", fmt.Sprintf("%s:%d", inetAddress(space.number), probePort))
		return err
	})
}

// know tells a place a hardware address of another.
func (n *namespaces) know(space, other *namespace, address string) error {
	device := "eth0"
	if space == n.hub {
		device = "bridge"
	}
	return space.configure("neighbour", "replace", inetAddress(other.number), "lladdr", address, "nud", "permanent", "dev", device)
}

func (n *namespaces) dial(ctx context.Context, from, address string) (net.Conn, error) {
	space := n.hub
	if from != "" {
		space = n.at(from)
	}
	var conn net.Conn
	err := space.within(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp4", address)
		return err
	})
	return conn, err
}

func (n *namespaces) divert(d Direction, befallen bool) error {
	from, to := n.at(d.From), n.at(d.To)
	address := hardwareAddress(to.number)
	if befallen {
		if err := n.wire.failure(); err != nil {
			return err
		}
		address = wireAddress(from.number, to.number)
	}
	return n.know(from, to, address)
}

// send sends a datagram: whatever loses it loses every other packet too.
func (n *namespaces) send(d Direction, number uint64) error {
	if err := n.wire.failure(); err != nil {
		return err
	}
	sent := append(endian.BigEndian.AppendUint64(nil, number), d.From...)
	_, err := n.at(d.From).probe.WriteTo(sent, n.at(d.To).probe.LocalAddr())
	return err
}

// receive tells the ways of what arrives at a place, until that is closed.
func (n *namespaces) receive(space *namespace, name string) {
	n.wait.Go(func() {
		buffer := make([]byte, 1500)
		for {
			size, _, err := space.probe.ReadFrom(buffer)
			if err != nil {
				return
			}
			if size < 8 {
				continue
			}
			if w, err := n.ways.way(Direction{string(buffer[8:size]), name}); err == nil {
				w.arrived(endian.BigEndian.Uint64(buffer))
			}
		}
	})
}

func (n *namespaces) close() error {
	failed := n.wire.close() // which asks for names until it is closed
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, space := range n.places {
		failed = errors.Join(failed, space.close())
	}
	n.wait.Wait()
	return errors.Join(failed, n.hub.close())
}

func (n *namespaces) at(name string) *namespace {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.places[name]
}

// name of the server that has a number; empty for none.
func (n *namespaces) name(number int) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, space := range n.places {
		if space.number == number {
			return name
		}
	}
	return ""
}
