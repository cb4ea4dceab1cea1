//go:build !linux

package network

import (
	"context"
	"os/exec"

	"github.com/candor-plane/candor"
)

func newNamespaces(*ways) (carrier, error) {
	return nil, candor.Errorf(candor.ReasonUnimplemented, "network of namespaces: these need Linux")
}

// lead is never called: leading connects needs Linux, and doctor says so.
func (n *proxies) lead(string, uint32, uint64) {}

// Sheltered is false: a shelter needs Linux.
func Sheltered() bool { return false }

// NeedsShelter is false: a shelter needs Linux.
func NeedsShelter(context.Context) bool { return false }

// Shelter changes nothing here.
func Shelter(*exec.Cmd) {}
