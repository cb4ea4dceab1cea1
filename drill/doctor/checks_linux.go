package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Checks are those of what every layer of processes is made of; packages network
// and stage have more.
func Checks() []Check { return []Check{SystemCalls, Pauses, Mounts} }

// SystemCalls asks the kernel whether it lets a process's system calls be asked
// about (seccomp's user notification). It installs no filter: that would stay with
// a thread, and one that ends takes with it the children that it started.
func SystemCalls(context.Context) Probe {
	p := Probe{
		Injector: "seccomp user notification", Use: "lead servers' connections to proxies; slow, hanging and failing disks",
		Fallback: "network namespaces for links; none for disks",
	}
	action := uint32(unix.SECCOMP_RET_USER_NOTIF)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action))) //nolint:gosec // the call wants an address, of what lives here
	if errno != 0 {
		return p.Tried(fmt.Errorf("the kernel refuses to have system calls watched: %w", errno))
	}
	return p.Tried(nil)
}

// Pauses tries to stop and continue a process.
func Pauses(ctx context.Context) Probe {
	p := Probe{Injector: "signals", Use: "kill, pause and stop servers", Fallback: "none"}
	return p.Tried(pauseOne(ctx))
}

func pauseOne(ctx context.Context) (err error) {
	child := exec.CommandContext(ctx, "sleep", "60")
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := child.Start(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, child.Process.Kill())
		_ = child.Wait() // it was killed
	}()
	for _, step := range []struct {
		signal syscall.Signal
		wait   int
	}{{syscall.SIGSTOP, unix.WUNTRACED}, {syscall.SIGCONT, unix.WCONTINUED}} {
		if err := child.Process.Signal(step.signal); err != nil {
			return fmt.Errorf("%s: %w", step.signal, err)
		}
		var status unix.WaitStatus
		if _, err := unix.Wait4(child.Process.Pid, &status, step.wait, nil); err != nil {
			return fmt.Errorf("%s: %w", step.signal, err)
		}
		if !status.Stopped() && !status.Continued() {
			return fmt.Errorf("%s: the process ended with %#x", step.signal, status)
		}
	}
	return nil
}

// Mounts tries to mount a disk of a fixed size, as a process without rights.
func Mounts(ctx context.Context) Probe {
	p := Probe{Injector: "tmpfs mounts", Use: "full disks, and servers' data that no disk slows", Fallback: "none: disks are not filled"}
	at, err := os.MkdirTemp("", directoryPrefix)
	if err != nil {
		return p.Tried(err)
	}
	defer func() { _ = os.Remove(at) }() // the mount was the child's, and is gone
	mount := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", at)
	mount.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:   syscall.SIGKILL,
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := mount.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return p.Tried(err)
}
