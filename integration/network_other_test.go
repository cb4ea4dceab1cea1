//go:build !linux

package integration

import (
	"errors"
	"testing"
)

func newNamespaces(*testing.T) (network, error) {
	return nil, errors.New("network namespaces need Linux")
}

func newProxies(t *testing.T) network {
	t.Helper()
	t.Skip("SKIPPED, network faults between real servers are not tested: leading servers' connections through proxies needs Linux")
	return nil
}
