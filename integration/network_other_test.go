//go:build !linux

package integration

import "github.com/candor-plane/candor/drill/network"

// lead is never called: a network that leads connects needs Linux.
func (l *links) lead(*process, *network.Placement) {}
