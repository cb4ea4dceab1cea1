//go:build !linux

package network

import "fmt"

// play plays none: what needs a role needs Linux.
func play(role string) error { return fmt.Errorf("no such role: %q", role) }
