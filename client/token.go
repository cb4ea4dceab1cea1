package client

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"strings"

	"github.com/candor-plane/candor"
)

// tokenKey is the metadata key of a bearer token.
const tokenKey = "authorization"

// NewToken makes a token with a new name and secret. Nothing knows it yet.
func NewToken() candor.Bearer {
	return candor.Bearer{Accessor: strings.ToLower(rand.Text()[:12]), Secret: rand.Text()}
}

// HashOf is the hash of a token's secret, as Token objects hold it.
func HashOf(b candor.Bearer) string {
	hash := b.Hash()
	return hex.EncodeToString(hash[:])
}

// checkClear refuses to send a token where others may read it.
func checkClear(addr string) error {
	if !leavesHost(addr) {
		return nil
	}
	return candor.Errorf(candor.ReasonInvalid, "client: the token would go to %s in the clear: use TLS, or allow it as insecure", addr)
}

// leavesHost says that what is sent to the address leaves this machine. An address
// without a port is for the caller's own dialer to know.
func leavesHost(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host != "localhost" && (ip == nil || !ip.IsLoopback())
}
