//go:build !linux

package disk

import (
	"io"

	"github.com/candor-plane/candor"
)

func noRoom() error {
	return candor.Errorf(candor.ReasonUnimplemented, "%s: they need Linux", roomRefused)
}

// NewRoom refuses: mount namespaces are the Linux kernel's.
func NewRoom([]string, string, int64) (*Room, error) { return nil, noRoom() }

// HoldRoom refuses.
func HoldRoom([]string, io.Reader, io.Writer) error { return noRoom() }

// Free refuses.
func (*Room) Free() (int64, error) { return 0, noRoom() }

// Leave refuses.
func (*Room) Leave(int64) error { return noRoom() }

// Empty refuses.
func (*Room) Empty() error { return noRoom() }

// Close does nothing.
func (*Room) Close() {}
