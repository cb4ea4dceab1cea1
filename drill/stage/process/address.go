package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/candor-plane/candor"
)

// Ports are given out of blocks below those that the system gives to connections, so that
// none of them takes one later. Whoever listens on a block's first port has the block, for
// as long as its process lives: two processes give nobody the same.
const (
	firstPort = 12000
	blocks    = 16
	blockSize = 500
)

// addresses are this process's.
var addresses struct {
	mu sync.Mutex
	// has is what says that the block is this process's.
	has   net.Listener
	block int
	given int
}

// FreeAddress is one of loopback that nothing listens on now, and that nobody else is given
// soon.
func FreeAddress() (string, error) {
	a := &addresses
	a.mu.Lock()
	defer a.mu.Unlock()
	for n, from := 0, rand.IntN(blocks); a.has == nil && n < blocks; n++ {
		block := (from + n) % blocks
		if l, err := net.Listen("tcp", local(block, 0)); err == nil {
			a.has, a.block = l, block
		}
	}
	if a.has == nil {
		return "", candor.Errorf(candor.ReasonUnavailable, "no free addresses: %d other processes have given themselves all of them", blocks)
	}
	for range blockSize {
		a.given++
		address := local(a.block, 1+a.given%(blockSize-1))
		if l, err := net.Listen("tcp", address); err == nil {
			return address, candor.Wrap("free address", l.Close())
		}
	}
	return "", candor.Errorf(candor.ReasonUnavailable, "no free addresses: something listens on all %d from %s on", blockSize, local(a.block, 0))
}

func local(block, port int) string {
	return fmt.Sprintf("127.0.0.1:%d", firstPort+block*blockSize+port)
}
