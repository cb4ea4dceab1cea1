package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor"
)

// NewRoom makes a disk of so many bytes over an empty directory, whose sight nobody
// else gets. child is how this program is run so that it hands its arguments to
// HoldRoom, all but the first, which is RoomRole. The caller closes it once nobody
// uses it.
func NewRoom(child []string, at string, bytes int64) (*Room, error) {
	holder := exec.Command(child[0], append(child[1:len(child):len(child)], RoomRole, at, strconv.FormatInt(bytes, 10))...)
	holder.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:   syscall.SIGKILL,
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	in, err := holder.StdinPipe()
	if err != nil {
		return nil, candor.Wrap("disk", err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		return nil, candor.Wrap("disk", err)
	}
	if err := holder.Start(); refusedByKernel(err) {
		return nil, candor.Errorf(candor.ReasonUnimplemented, "%s: %w", roomRefused, err)
	} else if err != nil {
		return nil, candor.Wrap("disk", err)
	}
	r := &Room{Path: filepath.Join("/proc", strconv.Itoa(holder.Process.Pid), "root", at), holder: holder, in: in}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		err = answer(line)
	}
	if err != nil {
		r.Close()
		return nil, candor.Wrap("disk", err)
	}
	return r, nil
}

func refusedByKernel(err error) bool {
	for _, refusal := range []error{unix.EPERM, unix.EACCES, unix.ENOSYS, unix.EINVAL, unix.ENOSPC, unix.EUSERS} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// HoldRoom is the child: it mounts, says so, and stays until its parent goes.
func HoldRoom(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return candor.Errorf(candor.ReasonUsage, "want a directory and a number of bytes: %q", args)
	}
	err := unix.Mount("tmpfs", args[0], "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=700,size="+args[1])
	if refusedByKernel(err) {
		fmt.Fprintf(out, "%s: mount a tmpfs: %v\n", roomRefused, err)
		return nil
	}
	if err != nil {
		return candor.Wrap("disk", err)
	}
	fmt.Fprintln(out, roomReady)
	_, err = io.Copy(io.Discard, in)
	return candor.Wrap("disk", err)
}

// Free is how many bytes others than the machine's own may still take.
func (r *Room) Free() (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(r.Path, &st); err != nil {
		return 0, candor.Wrap("disk", err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// Leave fills the disk with somebody else's file until so many bytes are free.
func (r *Room) Leave(bytes int64) error {
	f, err := os.OpenFile(r.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return candor.Wrap("disk", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return candor.Wrap("disk", err)
	}
	free, err := r.Free()
	if err != nil {
		return err
	}
	size := st.Size() + free - bytes
	if size <= st.Size() {
		return nil
	}
	return candor.Wrap("disk", unix.Fallocate(int(f.Fd()), 0, 0, size))
}

// Empty takes that file away.
func (r *Room) Empty() error {
	err := os.Remove(r.filler())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return candor.Wrap("disk", err)
}

// Close ends the disk with all that is on it. It may be called again.
func (r *Room) Close() {
	if r.ended {
		return
	}
	r.ended = true
	_ = r.in.Close()
	_ = r.holder.Wait()
}
