package shim

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor"
)

const (
	// exitNotFound and exitNotStarted are what a shell says of a command that is not
	// there, or cannot be run.
	exitNotFound   = 127
	exitNotStarted = 126
	// exitSignal is added to the number of the signal that ended a command.
	exitSignal = 128
)

// Main is the whole life of a shim: it runs the order of the directory and returns when
// the end is recorded. SIGTERM asks the command to end, and has it killed after its
// grace. DATA_LOCKED: another shim runs there.
//
// It takes the process over: signals, children, and the thread that it is called on.
func Main(dir Dir) error {
	lock, err := TakeLock(dir.file(lockFile))
	if err != nil {
		return err
	}
	if lock == nil {
		return candor.Errorf(candor.ReasonDataLocked, "%s: another shim runs there", dir)
	}
	defer lock.Release() //nolint:errcheck // the end of the process releases it too
	order, err := dir.Order()
	if err == nil && order == nil {
		err = candor.Errorf(candor.ReasonInvalid, "%s has no order", dir)
	}
	if err != nil {
		return err
	}
	// A record that does not decode is one of an earlier run: this one writes its own.
	if past, err := dir.Record(); err == nil && past != nil && past.Run >= order.Run {
		return nil
	}
	s := &shim{dir: dir, order: order, asked: make(chan os.Signal, 1), ended: make(chan syscall.WaitStatus, 1)}
	return s.run()
}

type shim struct {
	dir    Dir
	order  *Order
	record Record
	asked  chan os.Signal
	ended  chan syscall.WaitStatus
	logs   sync.WaitGroup

	mu     sync.Mutex // held to signal and to reap: a reaped PID may be another's
	reaped bool
}

func (s *shim) run() error {
	// The parent-death signal of the command is about this thread.
	runtime.LockOSThread()
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	signal.Notify(s.asked, syscall.SIGTERM)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return candor.Wrap("adopt what the command leaves", err)
	}
	boot, err := BootID()
	if err != nil {
		return err
	}
	self, ok := identify(os.Getpid())
	if !ok {
		return candor.Errorf(candor.ReasonInternal, "/proc does not tell when this process started")
	}
	s.record = Record{Run: s.order.Run, State: StateStarting, BootID: boot, Shim: self}
	if err := s.dir.write(&s.record); err != nil {
		return err
	}
	if err := s.start(); err != nil {
		code := int32(exitNotStarted)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
			code = exitNotFound
		}
		return s.finish(code, err.Error())
	}
	if err := s.dir.write(&s.record); err != nil {
		// A command without a record would be nobody's.
		s.signal(syscall.SIGKILL)
		<-s.ended
		return errors.Join(err, s.buryChildren())
	}
	status := s.await()
	if err := s.buryChildren(); err != nil {
		return err
	}
	s.logs.Wait()
	code, message := codeOf(status)
	return s.finish(code, message)
}

// start starts the command as the leader of a process group, in the environment of the
// order.
func (s *shim) start() error {
	t := &s.order.Template
	if len(t.Command) == 0 || t.Command[0] == "" {
		return candor.Errorf(candor.ReasonInvalid, "the instance has no command")
	}
	if path, ok := t.Env["PATH"]; ok {
		if err := os.Setenv("PATH", path); err != nil {
			return err
		}
	}
	if t.Dir != "" {
		if err := os.Chdir(t.Dir); err != nil {
			return err
		}
	}
	path, err := exec.LookPath(t.Command[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return err
	}
	files, err := s.streams()
	if err != nil {
		return err
	}
	pid, err := syscall.ForkExec(path, t.Command, &syscall.ProcAttr{
		Env: Environment(s.order), Files: []uintptr{files[0].Fd(), files[1].Fd(), files[2].Fd()},
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
	for _, f := range files {
		_ = f.Close() // the command has its own
	}
	if err != nil {
		s.logs.Wait()
		return err
	}
	s.record.State, s.record.StartedAt = StateRunning, time.Now().UTC()
	// Not yet reaped, so /proc has it, dead or alive.
	started, _ := statOf(pid)
	s.record.Command = Identity{PID: pid, Start: started.start}
	go s.reap(pid)
	return nil
}

// streams are the command's: nothing to read, and two pipes that go to the logs.
func (s *shim) streams() ([]*os.File, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	files := []*os.File{null}
	for _, path := range []string{s.dir.Stdout(), s.dir.Stderr()} {
		l, err := openLog(path)
		if err != nil {
			return nil, err
		}
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		files = append(files, w)
		s.logs.Go(func() {
			_, _ = io.Copy(l, r) // the end of the pipe is the only one
			_, _ = r.Close(), l.close()
		})
	}
	return files, nil
}

// await returns how the command ended. Asked to stop it, it does so for as long as the
// grace lasts.
func (s *shim) await() syscall.WaitStatus {
	var impatience <-chan time.Time
	for {
		select {
		case status := <-s.ended:
			return status
		case <-s.asked:
			if impatience != nil {
				continue
			}
			s.record.Stopped = true
			s.signal(syscall.SIGTERM)
			impatience = time.After(s.order.Grace())
		case <-impatience:
			s.signal(syscall.SIGKILL)
		}
	}
}

// signal goes to the command's process group.
func (s *shim) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.reaped {
		_ = syscall.Kill(-s.record.Command.PID, sig) // the group is there while its leader is not reaped
	}
}

// reap waits for children until the command has ended: others are what it left.
func (s *shim) reap(command int) {
	for {
		if err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT, nil); errors.Is(err, unix.EINTR) {
			continue
		}
		if status, done := s.reapOne(command); done {
			s.ended <- status
			return
		}
	}
}

func (s *shim) reapOne(command int) (status syscall.WaitStatus, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
	if err != nil || pid != command {
		return 0, errors.Is(err, syscall.ECHILD)
	}
	s.reaped = true
	return status, true
}

// buryChildren kills and reaps everything that the command left. Its processes become
// children of this one as their parents end, so that none escapes.
func (s *shim) buryChildren() error {
	self := os.Getpid()
	for {
		pids, err := processes()
		if err != nil {
			return err
		}
		for _, pid := range pids {
			// Nobody else reaps children of this process: the PID is still the child's.
			if st, ok := statOf(pid); ok && st.parent == self {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if errors.Is(err, syscall.ECHILD) {
				return nil
			}
			if pid == 0 {
				break
			}
		}
		if err := pause(context.Background(), 5*time.Millisecond); err != nil {
			return err
		}
	}
}

// finish records the end. A disk that is full now may have room soon.
func (s *shim) finish(code int32, message string) error {
	s.record.State, s.record.EndedAt, s.record.ExitCode, s.record.Message = StateEnded, time.Now().UTC(), code, message
	var err error
	for range 30 {
		if err = s.dir.write(&s.record); err == nil {
			return nil
		}
		time.Sleep(time.Second)
	}
	return err
}

// codeOf is the exit code of a status, and a word about it where there is more to say.
func codeOf(status syscall.WaitStatus) (code int32, message string) {
	if status.Signaled() {
		message = "ended by signal " + status.Signal().String()
		if status.CoreDump() {
			message += ", and left a core dump"
		}
		return exitSignal + int32(status.Signal()), message
	}
	return int32(status.ExitStatus()), ""
}
