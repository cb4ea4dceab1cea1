package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// namespaces is a network in which every server has a network namespace of its
// own, joined by a bridge in another, where the clients are. The machine's own
// network has no part in it.
//
// Namespaces have no name: they live by the files that hold them open here and
// by the servers in them, so that the kernel removes them, and the devices in
// them, however this process ends.
//
// Each place knows the hardware addresses of the others from the beginning. A
// direction is cut by a wrong one: what is sent then reaches nobody, and neither
// side is told, as on a network that loses everything.
type namespaces struct {
	t   *testing.T
	hub *namespace
	// places are by the server's name.
	places map[string]*namespace
	nonce  atomic.Uint64
}

// namespace is one network namespace. number is the last part of its addresses.
type namespace struct {
	file   *os.File
	number int
	// probe receives what delivers sends.
	probe net.PacketConn
}

const (
	clientsNumber = 100
	probePort     = 9
)

func inetAddress(number int) string { return fmt.Sprintf("10.83.0.%d", number) }

// hardwareAddress is that of a place, or one that nobody has.
func hardwareAddress(number int, nobody bool) string {
	if nobody {
		return fmt.Sprintf("02:00:00:00:ff:%02x", number)
	}
	return fmt.Sprintf("02:00:00:00:00:%02x", number)
}

// newNamespaces is an error where this process may not make namespaces.
func newNamespaces(t *testing.T) (network, error) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, fmt.Errorf("iproute2 is not installed: %w", err)
	}
	hub, err := newNamespace(clientsNumber)
	if err != nil {
		return nil, err
	}
	t.Cleanup(hub.close)
	if out, err := hub.ip("link", "add", "bridge", "type", "bridge"); err != nil {
		return nil, fmt.Errorf("no bridge: %w: %s", err, out)
	}
	n := &namespaces{t: t, hub: hub, places: map[string]*namespace{}}
	n.configure(hub, "link", "set", "bridge", "address", hardwareAddress(clientsNumber, false), "up")
	n.configure(hub, "address", "add", inetAddress(clientsNumber)+"/24", "dev", "bridge")
	return n, nil
}

func newNamespace(number int) (*namespace, error) {
	space := &namespace{number: number}
	err := onOwnThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, func() (err error) {
		space.file, err = os.Open(threadNamespace)
		return err
	})
	return space, err
}

func (n *namespaces) place(p *process) {
	n.t.Helper()
	space, err := newNamespace(len(n.places) + 1)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(space.close)
	device := fmt.Sprintf("to%d", space.number)
	n.configure(n.hub, "link", "add", device, "type", "veth",
		"peer", "name", "eth0", "address", hardwareAddress(space.number, false), "netns", space.path())
	n.configure(n.hub, "link", "set", device, "master", "bridge", "up")
	n.configure(space, "link", "set", "lo", "up")
	n.configure(space, "link", "set", "eth0", "up")
	n.configure(space, "address", "add", inetAddress(space.number)+"/24", "dev", "eth0")
	n.know(space, n.hub, false)
	n.know(n.hub, space, false)
	for _, other := range n.places {
		n.know(space, other, false)
		n.know(other, space, false)
	}
	if err := space.within(func() (err error) {
		space.probe, err = net.ListenPacket("udp4", fmt.Sprintf("%s:%d", inetAddress(space.number), probePort))
		return err
	}); err != nil {
		n.t.Fatal(err)
	}
	n.places[p.name] = space
	p.api, p.raft = inetAddress(space.number)+":7101", inetAddress(space.number)+":7201"
	p.flags = append(p.flags, "--insecure") // as it says of every address that is not loopback
	p.start = func(child *exec.Cmd) error { return space.within(child.Start) }
}

func (n *namespaces) dial(ctx context.Context, from, address string) (net.Conn, error) {
	space := n.hub
	if from != "" {
		space = n.places[from]
	}
	var conn net.Conn
	err := space.within(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp4", address)
		return err
	})
	return conn, err
}

func (n *namespaces) Cut(from, to string) {
	n.t.Helper()
	n.know(n.places[from], n.places[to], true)
}

func (n *namespaces) Heal(from, to string) {
	n.t.Helper()
	n.know(n.places[from], n.places[to], false)
}

// know tells a place the hardware address of another, or a wrong one.
func (n *namespaces) know(space, other *namespace, wrong bool) {
	n.t.Helper()
	device := "eth0"
	if space == n.hub {
		device = "bridge"
	}
	n.configure(space, "neighbour", "replace", inetAddress(other.number),
		"lladdr", hardwareAddress(other.number, wrong), "nud", "permanent", "dev", device)
}

// delivers sends a datagram: whatever loses it loses every other packet too.
func (n *namespaces) delivers(from, to string) bool {
	n.t.Helper()
	sender, receiver := n.places[from], n.places[to]
	sent := fmt.Sprint(n.nonce.Add(1))
	if _, err := sender.probe.WriteTo([]byte(sent), receiver.probe.LocalAddr()); err != nil {
		n.t.Fatalf("a datagram from %s to %s: %v", from, to, err)
	}
	if err := receiver.probe.SetReadDeadline(time.Now().Add(settles)); err != nil {
		n.t.Fatal(err)
	}
	buffer := make([]byte, 32)
	for {
		size, _, err := receiver.probe.ReadFrom(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		if err != nil {
			n.t.Fatal(err)
		}
		if string(buffer[:size]) == sent {
			return true
		}
	}
}

func (n *namespaces) configure(space *namespace, args ...string) {
	n.t.Helper()
	if out, err := space.ip(args...); err != nil {
		n.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (s *namespace) ip(args ...string) (string, error) {
	var out strings.Builder
	command := exec.Command("ip", args...)
	command.Stdout, command.Stderr = &out, &out
	command.SysProcAttr = lifeline()
	err := s.within(command.Run)
	return strings.TrimSpace(out.String()), err
}

// path is where another process of this machine finds the namespace.
func (s *namespace) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

func (s *namespace) close() {
	if s.probe != nil {
		_ = s.probe.Close()
	}
	_ = s.file.Close()
}

// within does something in the namespace: sockets opened and processes started
// there belong to it.
func (s *namespace) within(do func() error) error {
	return onOwnThread(func() error { return unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET) }, do)
}

const threadNamespace = "/proc/thread-self/ns/net"

// onOwnThread moves the thread to another namespace, does something there, and
// moves the thread back: it must live on, for a child ends with the thread that
// started it (see lifeline).
func onOwnThread(move, do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open(threadNamespace)
	if err != nil {
		return err
	}
	defer home.Close()
	if err := move(); err != nil {
		return fmt.Errorf("another network namespace: %w", err)
	}
	err = do()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		// A thread that stayed would run other tests in the wrong place.
		panic(fmt.Sprintf("no way back to the machine's own network: %v", back))
	}
	return err
}
