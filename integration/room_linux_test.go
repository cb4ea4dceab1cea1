package integration

import (
	"testing"

	"github.com/candor-plane/candor/drill/stage/disk"
)

// room is a disk of a fixed size, for as long as the test lasts.
type room struct {
	*disk.Room
	path string
}

// newRoom skips the test where the kernel does not let us have one.
func newRoom(t *testing.T, bytes int64) *room {
	t.Helper()
	r, err := disk.NewRoom(children(t), t.TempDir(), bytes)
	if disk.RoomRefused(err) {
		t.Skipf("SKIPPED, a full disk is not tested: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return &room{Room: r, path: r.Path}
}

// leave fills the disk with somebody else's file until so many bytes are free.
func (r *room) leave(t *testing.T, bytes int64) {
	t.Helper()
	if err := r.Leave(bytes); err != nil {
		t.Fatalf("fill %s: %v", r.path, err)
	}
}

// empty takes that file away.
func (r *room) empty(t *testing.T) {
	t.Helper()
	if err := r.Empty(); err != nil {
		t.Fatal(err)
	}
}
