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
	portSpan  = lastPort - firstPort + 1
)

// Addresses finds n free TCP addresses of 127.0.0.1, none of which it has given
// out before. Nothing holds them: a member that loses the race for one to another
// program fails to start and says so.
func (s *Spawner) Addresses(n int) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := os.Getpid() * 61 % portSpan
	found := make([]string, 0, n)
	for ; s.tried < portSpan && len(found) < n; s.tried++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+(start+s.tried)%portSpan))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return nil, fmt.Errorf("release probed address %s: %w", address, err)
		}
		found = append(found, address)
	}
	if len(found) < n {
		return nil, fmt.Errorf("%d free ports on 127.0.0.1 between %d and %d, wanted %d", len(found), firstPort, lastPort, n)
	}
	return found, nil
}
