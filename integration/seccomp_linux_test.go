package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// calls are those system calls of a child that the kernel asks about here, while
// the child's thread waits (seccomp's user notification, seccomp_unotify(2)).
type calls struct {
	listener *os.File
}

// notification and verdict are the kernel's seccomp_notif and seccomp_notif_resp.
type notification struct {
	id        uint64
	thread    uint32
	_         uint32
	number    int32
	_         uint32
	_         uint64
	arguments [6]uint64
}

type verdict struct {
	id    uint64
	_     int64
	errno int32
	flags uint32
}

// watched is a command whose process becomes the program of the arguments once
// the calls of the role wait for an answer.
func watched(role string, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(self, args...)
	child.Env = append(os.Environ(), roleVariable+"="+role)
	return child, nil
}

// startWatched starts such a command. receive then returns its calls; where the
// kernel refuses, an error, and the child has ended and said so.
func startWatched(child *exec.Cmd) (receive func() (*calls, error), err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	child.ExtraFiles = []*os.File{theirs}
	err = child.Start()
	_ = theirs.Close()
	if err != nil {
		_ = ours.Close()
		return nil, err
	}
	return func() (*calls, error) {
		defer ours.Close()
		listener, err := receiveFile(int(ours.Fd()))
		return &calls{listener: listener}, err
	}, nil
}

// serve hands on each call until the child is gone.
func (c *calls) serve(decide func(*notification)) {
	for {
		ready := []unix.PollFd{{Fd: int32(c.listener.Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if ready[0].Revents&unix.POLLIN == 0 {
			if ready[0].Revents&unix.POLLHUP != 0 {
				return
			}
			continue
		}
		var asked notification
		// ENOENT: the thread died meanwhile.
		if c.control(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&asked)) != nil {
			continue
		}
		decide(&asked)
	}
}

func (c *calls) pass(id uint64) {
	_ = c.control(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&verdict{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}))
}

func (c *calls) fail(id uint64, errno unix.Errno) {
	_ = c.control(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&verdict{id: id, errno: -int32(errno)}))
}

func (c *calls) control(request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, c.listener.Fd(), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}

func (c *calls) close() { _ = c.listener.Close() }

func receiveFile(socket int) (*os.File, error) {
	room := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), room, 0)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(room[:n])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("no listener came: %w", err)
	}
	files, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("no listener came: %w", err)
	}
	return os.NewFile(uintptr(files[0]), "listener"), nil
}

const watchRefused = "the kernel refuses to have system calls watched"

// becomeWatched is the child: it has the calls of these numbers watched, hands
// the listener to its parent, and becomes the program.
func becomeWatched(args []string, numbers ...uint32) error {
	// The filter is the thread's, and the one that execs keeps it.
	runtime.LockOSThread()
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the call's number
	for i, number := range numbers {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jt: uint8(len(numbers) - i)})
	}
	program = append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("%s: %w", watchRefused, err)
	}
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return fmt.Errorf("%s: %w", watchRefused, errno)
	}
	const parent = 3 // the first of its extra files
	if err := unix.Sendmsg(parent, []byte{0}, unix.UnixRights(int(listener)), nil, 0); err != nil {
		return err
	}
	unix.CloseOnExec(parent)
	return syscall.Exec(args[0], args, without(os.Environ(), roleVariable))
}

func without(environment []string, name string) []string {
	var out []string
	for _, e := range environment {
		if !strings.HasPrefix(e, name+"=") {
			out = append(out, e)
		}
	}
	return out
}
