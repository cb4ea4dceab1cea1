package process

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
)

// Run is one life of a process. Its methods may be called concurrently.
type Run struct {
	// Child is the command that was started.
	Child *exec.Cmd

	log  string
	from int64
	// served is closed once nobody answers for its calls any more.
	served, ended chan struct{}

	mu     sync.Mutex
	wanted bool
}

// Begin begins a process that says what it says at the end of a log file.
func Begin(child *exec.Cmd, log string) (*Run, error) {
	r, err := begin(child, (*exec.Cmd).Start, log, nil)
	if err != nil {
		return nil, err
	}
	close(r.served)
	return r, nil
}

func begin(child *exec.Cmd, start func(*exec.Cmd) error, path string, output func() (*os.File, error)) (*Run, error) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, candor.Wrap("process", err)
	}
	// The child has its own.
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, candor.Wrap("process", err)
	}
	child.Stdout, child.Stderr = log, log
	if output != nil {
		pipe, err := output()
		if err != nil {
			return nil, candor.Wrap("process", err)
		}
		defer pipe.Close()
		child.Stdout, child.Stderr = pipe, pipe
	}
	if child.SysProcAttr == nil {
		child.SysProcAttr = Lifeline()
	}
	if err := start(child); err != nil {
		return nil, candor.Wrap("process", err)
	}
	r := &Run{Child: child, log: path, from: from, served: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		_ = child.Wait() // its state says how it ended
		<-r.served
	}()
	return r, nil
}

// Ended is closed once the process is gone.
func (r *Run) Ended() <-chan struct{} { return r.ended }

// Gone says whether it is.
func (r *Run) Gone() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// Wanted says that somebody here asked for its end.
func (r *Run) Wanted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wanted
}

func (r *Run) want() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.Gone() {
		r.wanted = true
	}
}

// Signal sends one. The error is NOT_FOUND where the process is gone.
func (r *Run) Signal(s syscall.Signal) error {
	if err := r.Child.Process.Signal(s); err != nil {
		return candor.Errorf(candor.ReasonNotFound, "signal %s to process %d: %w", s, r.Child.Process.Pid, err)
	}
	return nil
}

// Kill ends it with SIGKILL and waits for its end. It may be called again.
func (r *Run) Kill() {
	r.want()
	_ = r.Child.Process.Kill() // it may be gone
	<-r.ended
}

// Stop asks it to end as an operator does, waits for that and returns its exit code.
// When ctx ends first the error is TIMED_OUT, and it still runs.
func (r *Run) Stop(ctx context.Context) (code int, err error) {
	r.want()
	_ = r.Signal(syscall.SIGCONT)
	_ = r.Signal(syscall.SIGTERM) // either way its end is what counts
	return r.Wait(ctx)
}

// Wait waits for its end and returns its exit code; -1 after a signal.
func (r *Run) Wait(ctx context.Context) (code int, err error) {
	select {
	case <-r.ended:
		return r.Child.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, candor.Errorf(candor.ReasonTimedOut, "process %d still runs: %w", r.Child.Process.Pid, context.Cause(ctx))
	}
}

// Said is what it wrote since it began.
func (r *Run) Said() (string, error) {
	data, err := os.ReadFile(r.log)
	if err != nil {
		return "", candor.Wrap("process", err)
	}
	return string(data[min(r.from, int64(len(data))):]), nil
}

// Says waits until it has written something.
func (r *Run) Says(ctx context.Context, words string) error {
	for {
		text, err := r.Said()
		if err != nil || strings.Contains(text, words) {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return candor.Errorf(candor.ReasonTimedOut, "process %d did not say %q: %w", r.Child.Process.Pid, words, context.Cause(ctx))
		}
	}
}

// Told is why a process ended, as what it wrote tells: the reason of its last error,
// and what it found. Empty where it told none.
func Told(said string) (reason candor.Reason, why string) {
	at := strings.LastIndex(said, "error: ")
	if at < 0 || at > 0 && said[at-1] != '\n' {
		return "", ""
	}
	line, _, _ := strings.Cut(said[at+len("error: "):], "\n\n")
	word, _, _ := strings.Cut(line, " ")
	if !candor.Reason(word).Known() {
		return "", ""
	}
	for each := range strings.Lines(line) {
		if found, is := strings.CutPrefix(each, "found: "); is {
			return candor.Reason(word), strings.TrimSpace(found)
		}
	}
	return candor.Reason(word), line
}

// Faulty says whether what a process wrote tells of a panic or of a data race, which
// no fault excuses.
func Faulty(said []byte) bool {
	return bytes.Contains(said, []byte("panic: ")) || bytes.Contains(said, []byte("DATA RACE"))
}
