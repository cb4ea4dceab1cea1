package process

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// Ports are searched below the range from which Linux picks the local port of
// an outgoing connection, so that a killed member finds its port free again.
const (
	firstPort = 20_000
	lastPort  = 31_999
)

// FreePorts finds n free TCP ports of 127.0.0.1. Nothing holds them: a member
// that loses the race for one fails to start and says so.
func FreePorts(n int) ([]string, error) {
	span := lastPort - firstPort + 1
	start := os.Getpid() * 61 % span
	found := make([]string, 0, n)
	for i := 0; i < span && len(found) < n; i++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+(start+i)%span))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return nil, fmt.Errorf("release probed port %s: %w", address, err)
		}
		found = append(found, address)
	}
	if len(found) < n {
		return nil, fmt.Errorf("%d free ports on 127.0.0.1 between %d and %d, wanted %d", len(found), firstPort, lastPort, n)
	}
	return found, nil
}
