// Package process runs the members of a measured cluster as child processes and
// reads what they cost.
//
// It guarantees that no child outlives this process, even when this process is
// killed, and that a closed Group has no live member. It refuses to start a
// member on a disk delay that cannot be injected. The systems under measurement
// build on Group; the experiments read CPU and memory from it. Linux only: the
// parent-death signal, /proc and per-process CPU clocks have no portable form.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Command is how one member is started, the first time and after every kill.
type Command struct {
	Path string
	Args []string
	// Env is added to this process's environment.
	Env []string
	// Log receives standard output and error, appended.
	Log string
	// FsyncDelay is added to every fsync and fdatasync of the member.
	FsyncDelay time.Duration
}

// Spawner starts children from one operating-system thread that lives as long
// as itself. The kernel ties the parent-death signal to the thread that forked,
// so a child started from any other thread could die in mid-measurement when
// the Go runtime retires that thread.
//
// It hands out addresses too, so that clusters which start at the same time get
// different ones.
type Spawner struct {
	requests chan func()
	done     chan struct{}
	once     sync.Once

	mu    sync.Mutex
	tried int
}

// NewSpawner starts the forking thread. Close ends it.
func NewSpawner() *Spawner {
	s := &Spawner{requests: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for request := range s.requests {
			request()
		}
	}()
	return s
}

// Close ends the forking thread and waits for it. Every child must have ended.
// A Spawner must not be used after Close.
func (s *Spawner) Close() {
	s.once.Do(func() { close(s.requests) })
	<-s.done
}

// Start runs the command and returns once it is forked; whether it serves is
// for the caller to find out. It may be called from several goroutines.
func (s *Spawner) Start(command Command) (*Child, error) {
	log, err := os.OpenFile(command.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open member log: %w", err)
	}
	defer log.Close()
	path, args, err := delayed(command)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), command.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own keeps a terminal's Ctrl-C from reaching the member
	// before this process has decided how to stop.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	child := &Child{cmd: cmd, log: command.Log, ended: make(chan struct{})}
	started := make(chan error, 1)
	s.requests <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	go child.reap()
	return child, nil
}

// Child is one running or ended member process. Its methods may be called
// concurrently.
type Child struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
	state string
}

// PID is the member's process ID.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Ended is closed once the process is gone and reaped.
func (c *Child) Ended() <-chan struct{} { return c.ended }

// Err says why the process is gone and where its log is; nil while it runs.
func (c *Child) Err() error {
	select {
	case <-c.ended:
		return fmt.Errorf("member process %d ended: %s; its last lines: %s", c.PID(), c.state, tail(c.log, 600))
	default:
		return nil
	}
}

// Kill sends SIGKILL and waits until the process is reaped.
func (c *Child) Kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill member process %d: %w", c.PID(), err)
	}
	<-c.ended
	return nil
}

// reap ends with the process; Kill and Close wait for it through ended.
func (c *Child) reap() {
	if err := c.cmd.Wait(); err != nil {
		c.state = err.Error()
	} else {
		c.state = "exit status 0"
	}
	close(c.ended)
}

func tail(path string, limit int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(data[max(len(data)-limit, 0):])
}
