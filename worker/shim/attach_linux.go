package shim

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
)

// Running is a run whose shim lives. Its methods may be called concurrently, Close
// once.
type Running struct {
	dir     Dir
	record  Record
	process *process
}

// patience is how long a shim may take from its start to its record, and strays to die.
const patience = 20 * time.Second

// Launch starts a shim for the directory's order, detached from this process, and
// returns once it has a record of that run: running, or ended already, and the shim with
// it. The command
// line of the shim is self and the directory, which is absolute, and where the command
// runs unless its order says otherwise.
func Launch(ctx context.Context, self []string, dir Dir, run int) error {
	stderr, err := os.OpenFile(dir.file(shimLog), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return candor.Wrap("start a shim", err)
	}
	defer stderr.Close()
	cmd := exec.Command(self[0], append(self[1:len(self):len(self)], string(dir))...) //nolint:gosec // the worker names its own program
	cmd.Dir, cmd.Stderr, cmd.Env = string(dir), stderr, []string{}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return candor.Wrap("start a shim", err)
	}
	pid := cmd.Process.Pid
	if err := cmd.Process.Release(); err != nil {
		return candor.Wrap("start a shim", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		r, err := dir.Record()
		begun := err == nil && r != nil && r.Run >= run && r.State != StateStarting
		if begun && r.State == StateRunning {
			return nil
		}
		if !lives(pid) {
			return shimFailed(dir, run)
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			if begun {
				return nil // it is over, and its shim ends when it may
			}
			return candor.Errorf(candor.ReasonTimedOut, "the shim did not start the command in time")
		}
	}
}

// lives says whether a child of this process has not ended yet.
func lives(pid int) bool {
	got, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	return err == nil && got == 0
}

// shimFailed is nil where the shim ended because the run is over already.
func shimFailed(dir Dir, run int) error {
	if r, err := dir.Record(); err == nil && r != nil && r.Run >= run && r.State != StateStarting {
		return nil
	}
	said, _ := os.ReadFile(dir.file(shimLog)) // what it said is a help, no more
	return candor.Errorf(candor.ReasonInternal, "the shim ended before it ran the command: %s", clip(said))
}

func clip(said []byte) string {
	const most = 500
	return string(said[:min(len(said), most)])
}

// Attach finds the shim of the newest run. Without one it returns the record of how
// that run ended, nil where there never was one. A run that nobody saw ending is
// recorded as such, once nothing of it is left.
func Attach(ctx context.Context, dir Dir, uid string) (*Running, *Record, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		record, err := dir.Record()
		if err != nil && candor.ReasonOf(err) != candor.ReasonDataCorrupt {
			return nil, nil, err
		}
		if record != nil && record.State == StateEnded {
			return nil, record, left(ctx, dir, record)
		}
		if record != nil && record.State == StateRunning {
			r, err := open(ctx, dir, record)
			if r != nil || err != nil {
				return r, record, err
			}
		}
		lock, err := TakeLock(dir.file(lockFile))
		if err != nil {
			return nil, nil, err
		}
		if lock != nil {
			record, err = conclude(ctx, dir, uid)
			if released := lock.Release(); err == nil {
				err = released
			}
			return nil, record, err
		}
		// A shim is there and has not said yet what it does, or is about to end.
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return nil, nil, candor.Errorf(candor.ReasonTimedOut, "a shim holds %s and does not say what it runs", dir)
		}
	}
}

// left waits for the shim of a run that is over, which holds the directory's lock until
// then, and, where it is a child of this process, its number. One that does not go is no
// error: nobody needs it.
func left(ctx context.Context, dir Dir, record *Record) error {
	shim, err := open(ctx, dir, record)
	if shim == nil || err != nil {
		return err
	}
	if err := shim.process.wait(ctx); err != nil && ctx.Err() == nil {
		return errors.Join(err, shim.Close())
	}
	return shim.Close()
}

// open is nil when the shim of the record is gone.
func open(ctx context.Context, dir Dir, record *Record) (*Running, error) {
	boot, err := BootID()
	if err != nil || record.BootID != boot {
		return nil, err
	}
	p, err := openProcess(ctx, record.Shim)
	if p == nil || err != nil {
		return nil, err
	}
	return &Running{dir: dir, record: *record, process: p}, nil
}

// conclude records how the newest run ended, under the directory's lock: as its shim
// did, or unknown. What is left of it is killed first.
func conclude(ctx context.Context, dir Dir, uid string) (*Record, error) {
	order, err := dir.Order()
	if err != nil {
		return nil, err
	}
	record, err := dir.Record()
	switch {
	case candor.ReasonOf(err) == candor.ReasonDataCorrupt && order != nil:
		record = &Record{Run: order.Run}
	case err != nil:
		return nil, err
	case record == nil || record.State == StateEnded:
		return record, nil
	}
	if err := killStrays(ctx, uid); err != nil {
		return nil, err
	}
	boot, err := BootID()
	if err != nil {
		return nil, err
	}
	was := record.BootID
	record.State, record.Unknown, record.EndedAt = StateEnded, true, time.Now().UTC()
	record.Message = "its shim ended before it recorded how the command did"
	if was != "" && was != boot {
		record.Message = "the machine started again while it ran"
	}
	return record, dir.write(record)
}

// Record is what the shim wrote when the command was started.
func (r *Running) Record() Record { return r.record }

// Wait returns how the run ended, or ctx's error.
func (r *Running) Wait(ctx context.Context, uid string) (*Record, error) {
	if err := r.process.wait(ctx); err != nil {
		return nil, err
	}
	for {
		again, record, err := Attach(ctx, r.dir, uid)
		if err != nil || again == nil {
			return record, err
		}
		// The shim is dead, and its files are still being closed.
		if err := again.Close(); err != nil {
			return nil, err
		}
	}
}

// Stop asks the command to end; the shim kills it after its grace.
func (r *Running) Stop() error { return r.process.signal(syscall.SIGTERM) }

// Kill ends the shim, and with it the command, at once.
func (r *Running) Kill() error { return r.process.signal(syscall.SIGKILL) }

// Close leaves the process to itself. No Wait may be under way.
func (r *Running) Close() error { return r.process.close() }
