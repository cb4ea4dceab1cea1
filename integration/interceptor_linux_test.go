package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

const roleIntercepted = "intercepted"

// interceptor decides what becomes of a server's syncs of its log. The kernel
// asks it at each fsync and fdatasync, and the server's thread waits (seccomp's
// user notification, seccomp_unotify(2)); syncs of other files pass.
type interceptor struct {
	listener *os.File
	wait     sync.WaitGroup

	mu    sync.Mutex
	fault syncFault
	held  []uint64
}

type syncFault int

const (
	syncPasses syncFault = iota
	syncFails            // with EIO
	syncHangs
)

// intercept begins the server under an interceptor, or skips the test where the
// kernel has none.
func intercept(t *testing.T, p *process) *interceptor {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	p.launch = func(args ...string) *exec.Cmd {
		child := exec.Command(self, append([]string{binary}, args...)...)
		child.Env = append(os.Environ(), roleVariable+"="+roleIntercepted)
		child.ExtraFiles = []*os.File{theirs}
		return child
	}
	p.begin(t)
	p.launch = nil
	theirs.Close()
	listener, err := receiveFile(int(ours.Fd()))
	if err != nil {
		<-p.ended
		if text := p.said(t); strings.Contains(text, interceptRefused) {
			t.Skipf("SKIPPED, failing and hanging disks are not tested: %s", text)
		}
		t.Fatalf("%v: %s", err, p.said(t))
	}
	i := &interceptor{listener: listener}
	i.wait.Go(i.run)
	t.Cleanup(func() {
		p.kill()
		i.wait.Wait()
		_ = listener.Close()
	})
	return i
}

// set says what becomes of syncs from now on, and of those that hang.
func (i *interceptor) set(fault syncFault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fault = fault
	if fault != syncHangs {
		for _, id := range i.held {
			i.answer(id)
		}
		i.held = nil
	}
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

// run answers until the server is gone.
func (i *interceptor) run() {
	for {
		ready := []unix.PollFd{{Fd: int32(i.listener.Fd()), Events: unix.POLLIN}}
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
		if i.control(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&asked)) != nil {
			continue
		}
		i.decide(&asked)
	}
}

func (i *interceptor) decide(asked *notification) {
	file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", asked.thread, asked.arguments[0]))
	isLog := err == nil && filepath.Ext(file) == ".wal"
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case !isLog:
		i.pass(asked.id)
	case i.fault == syncHangs:
		i.held = append(i.held, asked.id)
	default:
		i.answer(asked.id)
	}
}

func (i *interceptor) answer(id uint64) {
	if i.fault == syncFails {
		_ = i.control(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&verdict{id: id, errno: -int32(unix.EIO)}))
		return
	}
	i.pass(id)
}

func (i *interceptor) pass(id uint64) {
	_ = i.control(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&verdict{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}))
}

func (i *interceptor) control(request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, i.listener.Fd(), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}

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

const interceptRefused = "the kernel refuses to have system calls intercepted"

// runIntercepted is the child: it has its syncs intercepted, hands the listener
// to its parent, and becomes the server.
func runIntercepted(args []string) error {
	// The filter is the thread's, and the one that execs keeps it.
	runtime.LockOSThread()
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FDATASYNC, Jt: 2},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FSYNC, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("%s: %w", interceptRefused, err)
	}
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return fmt.Errorf("%s: %w", interceptRefused, errno)
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
