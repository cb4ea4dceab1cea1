package integration

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const roleRoom = "room"

// room is a disk of a fixed size: a tmpfs in the user and mount namespace of a
// child that does nothing else. It is reached through the child's root, and is
// gone when the child is.
type room struct {
	path   string
	filler string
}

// newRoom skips the test where the kernel does not let us have one.
func newRoom(t *testing.T, bytes int64) *room {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	at := t.TempDir()
	holder := exec.Command(self, at, fmt.Sprint(bytes))
	holder.Env = append(os.Environ(), roleVariable+"="+roleRoom)
	holder.SysProcAttr = lifeline()
	holder.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS
	holder.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	holder.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); refusedByKernel(err) {
		t.Skipf("SKIPPED, a full disk is not tested: the kernel refuses user and mount namespaces: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = holder.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	switch line = strings.TrimSpace(line); {
	case err != nil:
		t.Fatal(err)
	case strings.HasPrefix(line, roomRefused):
		t.Skipf("SKIPPED, a full disk is not tested: %s", line)
	case line != roomReady:
		t.Fatal(line)
	}
	path := filepath.Join("/proc", fmt.Sprint(holder.Process.Pid), "root", at)
	return &room{path: path, filler: filepath.Join(path, "filler")}
}

func refusedByKernel(err error) bool {
	for _, refusal := range []error{unix.EPERM, unix.EACCES, unix.ENOSYS, unix.EINVAL, unix.ENOSPC, unix.EUSERS} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

const (
	roomReady   = "ready"
	roomRefused = "the kernel refuses to mount a tmpfs"
)

// holdRoom is the child: it mounts, says so, and stays until its parent goes.
func holdRoom(args []string) error {
	err := unix.Mount("tmpfs", args[0], "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=700,size="+args[1])
	if refusedByKernel(err) {
		return fmt.Errorf("%s: %w", roomRefused, err)
	}
	if err != nil {
		return err
	}
	fmt.Println(roomReady)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func (r *room) free(t *testing.T) int64 {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(r.path, &st); err != nil {
		t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}

// leave fills the disk with somebody else's file until so many bytes are free.
func (r *room) leave(t *testing.T, bytes int64) {
	t.Helper()
	f, err := os.OpenFile(r.filler, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Fallocate(int(f.Fd()), 0, 0, st.Size()+r.free(t)-bytes); err != nil {
		t.Fatalf("fill %s: %v", r.path, err)
	}
}

// empty takes that file away.
func (r *room) empty(t *testing.T) {
	t.Helper()
	if err := os.Remove(r.filler); err != nil {
		t.Fatal(err)
	}
}
