package calls

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor"
)

// Calls are those of one child (seccomp's user notification, seccomp_unotify(2)).
// Its methods may be called concurrently; Close comes last.
type Calls struct {
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

// Start starts a Command by the function, which is as (*exec.Cmd).Start. receive
// then returns the calls, which nobody answers before Serve; where it fails the
// child has ended, or is about to, and said why.
func Start(child *exec.Cmd, start func(*exec.Cmd) error) (receive func() (*Calls, error), err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, candor.Wrap("calls", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	child.ExtraFiles = []*os.File{theirs}
	err = start(child)
	_ = theirs.Close() // the child has its own
	if err != nil {
		_ = ours.Close()
		return nil, candor.Wrap("calls", err)
	}
	return func() (*Calls, error) {
		defer ours.Close()
		listener, err := receiveFile(int(ours.Fd()))
		if err != nil {
			return nil, candor.Wrap("calls", err)
		}
		return &Calls{listener: listener}, nil
	}, nil
}

// Serve hands on each call, one after the other, until the child is gone.
func (c *Calls) Serve(decide func(*Call)) {
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
		if c.control(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&asked)) != nil { //nolint:gosec // the kernel's way to be told
			continue
		}
		decide(&Call{Thread: asked.thread, Number: asked.number, Arguments: asked.arguments, id: asked.id})
	}
}

// Pass has a call be made. Who asked may be gone by now.
func (c *Calls) Pass(call *Call) {
	_ = c.control(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&verdict{id: call.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})) //nolint:gosec // the kernel's way to be told
}

// Fail has a call not be made, and answered with an error.
func (c *Calls) Fail(call *Call, errno syscall.Errno) {
	_ = c.control(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&verdict{id: call.id, errno: -int32(errno)})) //nolint:gosec // the kernel's way to be told
}

func (c *Calls) control(request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, c.listener.Fd(), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}

// Close lets go of the calls, once Serve has returned.
func (c *Calls) Close() { _ = c.listener.Close() }

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

// Become is the child of a Command: it has its calls watched, hands the listener to
// its parent, and becomes the program. It returns only with an error.
func Become(args []string) error {
	if len(args) < 2 {
		return candor.Errorf(candor.ReasonUsage, "want the numbers of system calls, a program and its arguments: %q", args)
	}
	numbers, err := parse(args[0])
	if err != nil {
		return err
	}
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
		return unable(err)
	}
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&filter))) //nolint:gosec // the kernel's way to be told
	if errno != 0 {
		return unable(errno)
	}
	const parent = 3 // the first of its extra files
	if err := unix.Sendmsg(parent, []byte{0}, unix.UnixRights(int(listener)), nil, 0); err != nil {
		return candor.Wrap("calls", err)
	}
	unix.CloseOnExec(parent)
	return candor.Wrap("calls", syscall.Exec(args[1], args[1:], os.Environ()))
}
