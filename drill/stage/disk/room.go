package disk

import (
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/candor-plane/candor"
)

// RoomRole is the word by which a child is told to hold a room.
const RoomRole = "room"

// Room is a disk of a fixed size: a tmpfs in the user and mount namespace of a
// child that does nothing else. It is reached through the child's root, and is
// gone when the child is.
type Room struct {
	// Path is the directory.
	Path   string
	holder *exec.Cmd
	in     interface{ Close() error }
	ended  bool
}

const (
	roomReady   = "ready"
	roomRefused = "the kernel refuses user and mount namespaces"
)

// RoomRefused says whether an error is the kernel's refusal to have rooms.
func RoomRefused(err error) bool {
	return candor.ReasonOf(err) == candor.ReasonUnimplemented
}

// answer is what the first line of a room's holder means.
func answer(line string) error {
	switch line = strings.TrimSpace(line); {
	case line == roomReady:
		return nil
	case strings.Contains(line, roomRefused):
		return candor.Errorf(candor.ReasonUnimplemented, "%s", line)
	default:
		return candor.Errorf(candor.ReasonInternal, "the holder of a disk said %q; want %q", line, roomReady)
	}
}

func (r *Room) filler() string { return filepath.Join(r.Path, "filler") }
