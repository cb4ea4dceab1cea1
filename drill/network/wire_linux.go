package network

import (
	"container/heap"
	endian "encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// wire is a device at the bridge that takes the packets of those directions which
// something befalls, and hands them on as the way's condition says. It takes a
// packet as the kernel has it, with what is left to do about checksum and segments
// (packet(7), PACKET_VNET_HDR), so that large ones stay large.
type wire struct {
	socket *os.File
	ways   *ways
	name   func(number int) string

	wait    sync.WaitGroup
	closing chan struct{}
	// earlier tells send that the first due packet is another.
	earlier chan struct{}

	mu sync.Mutex
	// held wait to be sent; last is when the last one of a way that keeps its order is due.
	held   packets
	bytes  int
	number uint64
	last   map[*way]time.Time
	failed error
}

const (
	// A virtio_net_hdr, then an Ethernet header.
	offloadBytes  = 10
	ethernetBytes = 14
	largestPacket = 256 << 10
	// holdsAtMost bounds what waits: more is lost, as in a router.
	holdsAtMost = 64 << 20
)

// wireAddress leads to the wire, and says there which direction it is.
func wireAddress(from, to int) string { return fmt.Sprintf("02:00:00:01:%02x:%02x", from, to) }

// newWire adds the wire to the hub's bridge. The caller closes it. name is that of
// the server of a number.
func newWire(hub *namespace, w *ways, name func(int) string) (*wire, error) {
	for _, args := range [][]string{
		{"link", "add", "wire", "type", "veth", "peer", "name", "wired"},
		{"link", "set", "wire", "master", "bridge"},
		// Packets come back from it that are others': the bridge must not think that
		// these live there.
		{"link", "set", "wire", "type", "bridge_slave", "learning", "off"},
		{"link", "set", "wire", "up"},
		{"link", "set", "wired", "up"},
	} {
		if err := hub.configure(args...); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(hub.await("wire", forwards), hub.await("wire", up), hub.await("wired", up)); err != nil {
		return nil, err
	}
	x := &wire{
		ways: w, name: name, closing: make(chan struct{}), earlier: make(chan struct{}, 1), last: map[*way]time.Time{},
	}
	if err := hub.within(func() (err error) {
		x.socket, err = packetSocket("wired")
		return err
	}); err != nil {
		return nil, err
	}
	x.wait.Go(x.receive)
	x.wait.Go(x.send)
	return x, nil
}

// packetSocket takes and gives whole IPv4 packets of a device.
func packetSocket(device string) (*os.File, error) {
	at, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	socket := os.NewFile(uintptr(fd), "wire")
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket: %w", err), socket.Close())
	}
	// More than the machine's default, where that is allowed.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)
	var protocol [2]byte
	endian.BigEndian.PutUint16(protocol[:], unix.ETH_P_IP)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: endian.NativeEndian.Uint16(protocol[:]), Ifindex: at.Index}); err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket: %w", err), socket.Close())
	}
	return socket, nil
}

// failure is why the wire carries nothing any more.
func (x *wire) failure() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.failed
}

func (x *wire) close() error {
	close(x.closing)
	err := x.socket.Close()
	x.wait.Wait()
	return err
}

func (x *wire) receive() {
	buffer := make([]byte, largestPacket)
	for {
		n, err := x.socket.Read(buffer)
		if err != nil {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.failed = fmt.Errorf("the wire: %w", err)
			return
		}
		if n > offloadBytes+ethernetBytes {
			x.take(buffer[:n])
		}
	}
}

// take decides on a packet that came.
func (x *wire) take(packet []byte) {
	hardware := packet[offloadBytes:]
	if endian.BigEndian.Uint32(hardware) != 0x02000001 {
		return // flooded by the bridge, and meant for another
	}
	from, to := int(hardware[4]), int(hardware[5])
	w, err := x.ways.way(Direction{x.name(from), x.name(to)})
	if err != nil {
		return
	}
	receiver, err := net.ParseMAC(hardwareAddress(to))
	if err != nil {
		return
	}
	c, _ := w.condition()
	uncounted := probes(hardware[ethernetBytes:])
	f := w.draw(c, uncounted)
	counts := Counters{Messages: 1, Bytes: int64(len(packet) - offloadBytes)}
	if f.lost || !x.hold(held{way: w, uncounted: uncounted}, packet, receiver, f) {
		counts.Lost = 1
	} else {
		counts.Delayed, counts.Reordered, counts.Duplicated = one(f.delay > 0), one(f.overtaken), one(f.twice)
	}
	if !uncounted {
		w.count(counts)
	}
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// hold keeps a packet until it is due; false if there is no room.
func (x *wire) hold(h held, packet, receiver []byte, f fate) bool {
	h.data = append([]byte(nil), packet...)
	copy(h.data[offloadBytes:], receiver)
	times := 1
	if f.twice {
		times = 2
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.bytes+times*len(h.data) > holdsAtMost {
		return false
	}
	h.due = time.Now().Add(f.delay)
	if !f.overtaken {
		if last := x.last[h.way]; h.due.Before(last) {
			h.due = last
		}
		x.last[h.way] = h.due
	}
	for range times {
		x.number++
		h.number = x.number
		heap.Push(&x.held, h)
		x.bytes += len(h.data)
		h.count(Counters{Held: int64(len(h.data))})
	}
	select {
	case x.earlier <- struct{}{}:
	default: // it is told already
	}
	return true
}

// send sends what is due until the wire is closed.
func (x *wire) send() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := x.release(time.Now())
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-x.earlier:
		case <-x.closing:
			return
		}
	}
}

// release sends all that is due and says how long nothing else is.
func (x *wire) release(now time.Time) time.Duration {
	for {
		x.mu.Lock()
		if len(x.held) == 0 {
			x.mu.Unlock()
			return time.Hour
		}
		if left := x.held[0].due.Sub(now); left > 0 {
			x.mu.Unlock()
			return left
		}
		p, _ := heap.Pop(&x.held).(held)
		x.bytes -= len(p.data)
		x.mu.Unlock()
		p.count(Counters{Held: -int64(len(p.data))})
		if _, err := x.socket.Write(p.data); err != nil {
			p.count(Counters{Lost: 1}) // as a full queue loses it
		}
	}
}
