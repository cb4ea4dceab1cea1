package shim

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor"
)

// BootID is the machine's since it started.
func BootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", candor.Wrap("boot ID", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// identify is the identity of a process; not ok when it is gone, or dead and not yet
// waited for.
func identify(pid int) (Identity, bool) {
	s, ok := statOf(pid)
	return Identity{PID: pid, Start: s.start}, ok && s.state != 'Z' && s.state != 'X'
}

type stat struct {
	state  byte
	parent int
	start  uint64
}

// statOf reads /proc/PID/stat, proc_pid_stat(5). The name, in parentheses, may hold
// anything; what follows the last one are numbers.
func statOf(pid int) (stat, bool) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, false
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	const state, parent, start = 0, 1, 19
	if len(fields) <= start || len(fields[state]) != 1 {
		return stat{}, false
	}
	out := stat{state: fields[state][0]}
	out.parent, err = strconv.Atoi(string(fields[parent]))
	if err != nil {
		return stat{}, false
	}
	out.start, err = strconv.ParseUint(string(fields[start]), 10, 64)
	return out, err == nil
}

// process is one that lived when it was opened. Its file stands for it, and for no
// later process of the same PID.
type process struct {
	id   Identity
	file *os.File
}

// openProcess opens the process with that identity; nil when it is gone. One that has
// ended, and is a child of this process, is waited for.
func openProcess(ctx context.Context, id Identity) (*process, error) {
	if id.PID <= 0 {
		return nil, nil //nolint:nilnil // there is none
	}
	fd, err := unix.PidfdOpen(id.PID, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return nil, nil //nolint:nilnil // it is gone
	}
	if err != nil {
		return nil, candor.Errorf(candor.ReasonInternal, "process %d: %w", id.PID, err)
	}
	p := &process{id: id, file: os.NewFile(uintptr(fd), "pidfd")}
	// What has the PID and the start time now had them when the file was opened.
	now, alive := identify(id.PID)
	if now != id {
		return nil, p.close()
	}
	if !alive {
		// It is dead by its first thread; only after the last can it be waited for.
		_ = p.wait(ctx)
		return nil, p.close()
	}
	return p, nil
}

// wait returns when the process has ended: nil, or ctx's error.
func (p *process) wait(ctx context.Context) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return candor.Wrap("wait for a process", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	err = raw.Read(func(fd uintptr) bool {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(ready, 0)
		return err == nil && n > 0
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return candor.Wrap("wait for a process", err)
	}
	p.reap()
	return nil
}

// reap takes note of the end of a child of this process; for another it does nothing.
func (p *process) reap() {
	_ = p.control(func(fd int) error { return unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED|unix.WNOHANG, nil) })
}

// signal is nil also when the process is gone.
func (p *process) signal(s syscall.Signal) error {
	err := p.control(func(fd int) error { return unix.PidfdSendSignal(fd, s, nil, 0) })
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return candor.Wrap("signal a process", err)
}

func (p *process) control(call func(fd int) error) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) { result = call(int(fd)) }); err != nil {
		return err
	}
	return result
}

func (p *process) close() error { return p.file.Close() }

// processes are all that there are, by PID.
func processes() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, candor.Wrap("list processes", err)
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && e.IsDir() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// killStrays kills what is left of an instance whose shim is gone: every process with
// its UID in the environment that it was started with. It returns once they are gone,
// or ctx is done.
func killStrays(ctx context.Context, uid string) error {
	mark := []byte(uidVariable + "=" + uid)
	for {
		pids, err := processes()
		if err != nil {
			return err
		}
		left := 0
		for _, pid := range pids {
			found, err := killMarked(ctx, pid, mark)
			if err != nil {
				return err
			}
			if found {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return candor.Errorf(candor.ReasonTimedOut, "%d processes of instance %s did not end: %w", left, uid, err)
		}
	}
}

func killMarked(ctx context.Context, pid int, mark []byte) (found bool, err error) {
	id, alive := identify(pid)
	if !alive || pid == os.Getpid() {
		return false, nil
	}
	p, err := openProcess(ctx, id)
	if p == nil || err != nil {
		return false, err
	}
	defer p.close() //nolint:errcheck // it was only asked
	if found, err = isMarked(pid, mark); found {
		err = p.signal(syscall.SIGKILL)
	}
	return found, err
}

// isMarked says whether the mark is in the environment that the process was started with;
// not for one that is gone, or another user's.
func isMarked(pid int, mark []byte) (bool, error) {
	environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ESRCH) {
		return false, nil
	}
	if err != nil {
		return false, candor.Wrap("environment of a process", err)
	}
	for variable := range bytes.SplitSeq(environ, []byte{0}) {
		if bytes.Equal(variable, mark) {
			return true, nil
		}
	}
	return false, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
