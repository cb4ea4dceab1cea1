package dev

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/candor-plane/candor"
)

// process is one server or worker: a child that may come and go.
type process struct {
	name    string
	about   string // for lists
	program string
	args    []string
	env     []string // nil is this process's
	dir     string
	ended   func(name string, err error, expected bool)

	mu       sync.Mutex
	child    *exec.Cmd
	done     chan struct{}
	expected bool
	paused   bool
}

// start begins the child. Its output goes to NAME.log in the folder.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child != nil {
		return candor.Errorf(candor.ReasonAlreadyExists, "%s is running, pid %d", p.name, p.child.Process.Pid)
	}
	log, err := os.OpenFile(filepath.Join(p.dir, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return candor.Wrap("dev", err)
	}
	// The child has its own copy.
	defer func() { _ = log.Close() }()
	child := exec.Command(p.program, p.args...)
	child.Stdout, child.Stderr, child.Env = log, log, p.env
	child.SysProcAttr = childAttributes()
	if err := child.Start(); err != nil {
		return candor.Errorf(candor.ReasonInternal, "start %s: %w", p.name, err)
	}
	p.child, p.done, p.expected, p.paused = child, make(chan struct{}), false, false
	go p.reap(child, p.done)
	return nil
}

func (p *process) reap(child *exec.Cmd, done chan struct{}) {
	err := child.Wait()
	p.mu.Lock()
	expected := p.expected
	p.child = nil
	p.mu.Unlock()
	close(done)
	p.ended(p.name, err, expected)
}

// signal sends one, and says whether the end of the child is wanted by it.
func (p *process) signal(sig syscall.Signal, ends bool) (<-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == nil {
		return nil, candor.Errorf(candor.ReasonNotFound, "%s is not running", p.name)
	}
	p.expected = p.expected || ends
	p.paused = sig == syscall.SIGSTOP || (p.paused && sig != syscall.SIGCONT)
	return p.done, candor.Wrap("dev", p.child.Process.Signal(sig))
}

// state is a word for people, and the pid; 0 when it is down.
func (p *process) state() (string, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.child == nil:
		return "down", 0
	case p.paused:
		return "paused", p.child.Process.Pid
	default:
		return "running", p.child.Process.Pid
	}
}
