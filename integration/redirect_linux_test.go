package integration

import (
	"bytes"
	"context"
	endian "encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const roleRedirected = "redirected"

// proxies is a network on loopback for a process without rights: one linkProxy
// for each address of each server, towards each other server. A server is told
// the others' own addresses; the kernel asks here about each of its connects,
// which then leads to the proxy.
type proxies struct {
	t *testing.T
	// supervisors answer for the servers' connects until those are gone.
	supervisors sync.WaitGroup

	mu sync.Mutex
	// owners are by address, ways by direction.
	owners map[string]string
	ways   map[direction]*way
	// standing are by who connects and to which address.
	standing map[[2]string]*linkProxy
	servers  map[string]*process
	// probes are a connection's two ends, by whose they are and towards whom.
	probes map[direction]net.Conn
	nonce  uint64
}

// newProxies skips the test where the kernel does not ask about connects.
func newProxies(t *testing.T) network {
	t.Helper()
	n := &proxies{
		t: t, owners: map[string]string{}, ways: map[direction]*way{}, standing: map[[2]string]*linkProxy{},
		servers: map[string]*process{}, probes: map[direction]net.Conn{},
	}
	trial, err := watched(roleRedirected, binary, "version")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	trial.Stdout, trial.Stderr, trial.SysProcAttr = &out, &out, lifeline()
	if err := n.start("", trial); err != nil {
		if _ = trial.Wait(); strings.Contains(out.String(), watchRefused) {
			t.Skipf("SKIPPED, network faults between real servers are not tested: %s", out.String())
		}
		t.Fatalf("%v: %s", err, out.String())
	}
	if err := trial.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	t.Cleanup(n.close)
	return n
}

func (n *proxies) close() {
	n.supervisors.Wait() // the servers were ended before
	for _, end := range n.probes {
		_ = end.Close()
	}
	for _, p := range n.standing {
		p.close()
	}
}

func (n *proxies) place(p *process) {
	n.t.Helper()
	n.mu.Lock()
	for name := range n.servers {
		n.ways[direction{name, p.name}], n.ways[direction{p.name, name}] = newWay(), newWay()
	}
	n.servers[p.name], n.owners[p.api], n.owners[p.raft] = p, p.name, p.name
	n.mu.Unlock()
	for name := range n.servers {
		if name != p.name {
			n.connectProbe(name, p.name)
		}
	}
	p.launch = func(args ...string) *exec.Cmd {
		child, err := watched(roleRedirected, append([]string{binary}, args...)...)
		if err != nil {
			n.t.Fatal(err)
		}
		return child
	}
	p.start = func(child *exec.Cmd) error {
		err := n.start(p.name, child)
		if err != nil && child.Process != nil {
			_ = child.Process.Kill()
			_ = child.Wait()
		}
		return err
	}
}

// start starts a server's process and leads its connects.
func (n *proxies) start(name string, child *exec.Cmd) error {
	receive, err := startWatched(child)
	if err != nil {
		return err
	}
	connects, err := receive()
	if err != nil {
		return err
	}
	n.supervisors.Go(func() {
		defer connects.close()
		connects.serve(func(asked *notification) {
			n.lead(name, asked)
			connects.pass(asked.id)
		})
	})
	return nil
}

// lead changes the port that a waiting connect names to the proxy's. Where it
// cannot be read, the thread has died.
func (n *proxies) lead(from string, asked *notification) {
	const family, port, end = 0, 2, 8 // of a sockaddr_in
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", asked.thread), os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer memory.Close()
	name := make([]byte, end)
	at := int64(asked.arguments[1])
	if _, err := memory.ReadAt(name, at); err != nil || endian.NativeEndian.Uint16(name[family:]) != unix.AF_INET {
		return
	}
	address := net.JoinHostPort(net.IP(name[4:end]).String(), strconv.Itoa(int(endian.BigEndian.Uint16(name[port:]))))
	proxy := n.proxy(from, address)
	if proxy == nil {
		return
	}
	endian.BigEndian.PutUint16(name[port:], uint16(proxy.listener.Addr().(*net.TCPAddr).Port))
	_, _ = memory.WriteAt(name[port:port+2], at+port)
}

// proxy stands between a server and an address of another; nil where there is
// nothing to stand between.
func (n *proxies) proxy(from, address string) *linkProxy {
	n.mu.Lock()
	defer n.mu.Unlock()
	to := n.owners[address]
	if to == "" || to == from || from == "" {
		return nil
	}
	key := [2]string{from, address}
	if n.standing[key] == nil {
		n.standing[key] = newLinkProxy(n.t, address, n.ways[direction{from, to}], n.ways[direction{to, from}])
	}
	return n.standing[key]
}

func (n *proxies) dial(ctx context.Context, from, address string) (net.Conn, error) {
	if proxy := n.proxy(from, address); proxy != nil {
		address = proxy.address()
	}
	return new(net.Dialer).DialContext(ctx, "tcp4", address)
}

func (n *proxies) Cut(from, to string)  { n.ways[direction{from, to}].cut() }
func (n *proxies) Heal(from, to string) { n.ways[direction{from, to}].heal() }

// delivers sends a line over a connection that stands between the two, and wants
// a server that runs to have been led to a proxy.
func (n *proxies) delivers(from, to string) bool {
	n.t.Helper()
	n.mu.Lock()
	led := n.servers[from].child == nil || n.leads(from)
	n.nonce++
	sent := fmt.Sprintf("%08d", n.nonce)
	n.mu.Unlock()
	if !led {
		n.t.Fatalf("INCONCLUSIVE: no connection of %s goes by way of a proxy", from)
	}
	if _, err := n.probes[direction{from, to}].Write([]byte(sent)); err != nil {
		n.t.Fatalf("from %s to %s: %v", from, to, err)
	}
	end := n.probes[direction{to, from}]
	if err := end.SetReadDeadline(time.Now().Add(settles)); err != nil {
		n.t.Fatal(err)
	}
	line := make([]byte, len(sent))
	for string(line) != sent {
		_, err := io.ReadFull(end, line)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		if err != nil {
			n.t.Fatal(err)
		}
	}
	return true
}

// leads says whether a connection that a server began goes by way of a proxy.
func (n *proxies) leads(from string) bool {
	for key, proxy := range n.standing {
		if key[0] == from && n.owners[key[1]] != "" && proxy.accepted.Load() > 0 {
			return true
		}
	}
	return false
}

// connectProbe makes the connection that delivers uses, both ways.
func (n *proxies) connectProbe(a, b string) {
	n.t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	defer listener.Close()
	proxy := newLinkProxy(n.t, listener.Addr().String(), n.ways[direction{a, b}], n.ways[direction{b, a}])
	n.mu.Lock()
	n.standing[[2]string{a, listener.Addr().String()}] = proxy
	n.mu.Unlock()
	near, err := net.Dial("tcp4", proxy.address())
	if err != nil {
		n.t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		n.t.Fatal(err)
	}
	n.probes[direction{a, b}], n.probes[direction{b, a}] = near, far
}

func TestACutOfAProxyBitesOneWayAndHeals(t *testing.T) {
	cutsBiteOneWay(t, linksOver(t, newProxies(t)), func(p *process) (net.Listener, error) { return net.Listen("tcp4", p.raft) })
}
