package network

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// namespace is one network namespace. number is the last part of its addresses.
type namespace struct {
	file   *os.File
	number int
	// probe receives what send sends.
	probe net.PacketConn
}

func newNamespace(number int) (*namespace, error) {
	space := &namespace{number: number}
	err := onOwnThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, func() (err error) {
		space.file, err = os.Open(threadNamespace)
		return err
	})
	return space, err
}

// configure has iproute2 do something in the namespace.
func (s *namespace) configure(args ...string) error {
	_, err := s.ask(args...)
	return err
}

// await waits until the kernel says this of a device: some time after a device was
// made, what is sent there is lost.
func (s *namespace) await(device, state string) error {
	const step, patience = 5 * time.Millisecond, 10 * time.Second
	poll := time.NewTicker(step)
	defer poll.Stop()
	for began := time.Now(); ; <-poll.C {
		told, err := s.ask("-oneline", "-details", "link", "show", "dev", device)
		if err != nil || strings.Contains(told, state) {
			return err
		}
		if time.Since(began) > patience {
			return fmt.Errorf("device %s after %s: %s: want %s", device, patience, told, state)
		}
	}
}

const (
	// up is a device that sends, forwards a bridge's port that hands on.
	up       = " state UP "
	forwards = " state forwarding "
)

func (s *namespace) ask(args ...string) (string, error) {
	var out strings.Builder
	command := exec.Command("ip", args...)
	command.Stdout, command.Stderr = &out, &out
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.within(command.Run); err != nil {
		return "", fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(out.String()))
	}
	return out.String(), nil
}

// path is where another process of this machine finds the namespace.
func (s *namespace) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

func (s *namespace) close() error {
	if s.probe != nil {
		_ = s.probe.Close()
	}
	return s.file.Close()
}

// within does something in the namespace: sockets opened and processes started
// there belong to it.
func (s *namespace) within(do func() error) error {
	return onOwnThread(func() error { return unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET) }, do)
}

const threadNamespace = "/proc/thread-self/ns/net"

// onOwnThread moves the thread to another namespace, does something there, and
// moves the thread back: it must live on, for children may be made to end with
// the thread that started them.
func onOwnThread(move, do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open(threadNamespace)
	if err != nil {
		return err
	}
	defer home.Close()
	if err := move(); err != nil {
		return fmt.Errorf("another network namespace: %w", err)
	}
	err = do()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		// A thread that stayed would run others' goroutines in the wrong place.
		panic(fmt.Sprintf("no way back to the machine's own network: %v", back))
	}
	return err
}
