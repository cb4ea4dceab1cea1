package network

import (
	endian "encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// lead changes the port that a waiting connect names to the proxy's. Where it
// cannot be read, the thread has died.
func (n *proxies) lead(from string, thread uint32, sockaddr uint64) {
	const family, port, end = 0, 2, 8 // of a sockaddr_in
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", thread), os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer memory.Close()
	name := make([]byte, end)
	at := int64(sockaddr)
	if _, err := memory.ReadAt(name, at); err != nil || endian.NativeEndian.Uint16(name[family:]) != unix.AF_INET {
		return
	}
	address := net.JoinHostPort(net.IP(name[4:end]).String(), strconv.Itoa(int(endian.BigEndian.Uint16(name[port:]))))
	proxy, err := n.between(from, address)
	if proxy == nil || err != nil {
		return // the next send tells of the error
	}
	_, own, err := net.SplitHostPort(proxy.address())
	if err != nil {
		return
	}
	number, err := strconv.ParseUint(own, 10, 16)
	if err != nil {
		return
	}
	endian.BigEndian.PutUint16(name[port:], uint16(number))
	_, _ = memory.WriteAt(name[port:port+2], at+port)
}
