//go:build linux

package shim

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/candor-plane/candor"
)

// instance is a directory whose shim and processes end with the test.
type instance struct {
	t   *testing.T
	dir Dir
	uid string
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	x := &instance{t: t, dir: Dir(t.TempDir()), uid: uuid.NewString()}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		running, _, err := Attach(ctx, x.dir, x.uid)
		if err != nil {
			t.Errorf("clean up: %v", err)
		}
		if running != nil {
			_ = running.Kill()
			_, _ = running.Wait(ctx, x.uid)
			_ = running.Close()
		}
		if err := killStrays(ctx, x.uid); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return x
}

func (x *instance) order(run int, grace int32, command ...string) {
	x.t.Helper()
	noError(x.t, x.dir.Give(&Order{UID: x.uid, Name: "web-0", Namespace: "team", Run: run, Template: candor.InstanceTemplate{Command: command, GraceSeconds: &grace}}))
}

func (x *instance) launch(run int) {
	x.t.Helper()
	noError(x.t, Launch(x.t.Context(), []string{os.Args[0], "worker-shim"}, x.dir, run))
}

func (x *instance) attach() (*Running, *Record) {
	x.t.Helper()
	running, record, err := Attach(x.t.Context(), x.dir, x.uid)
	noError(x.t, err)
	if running != nil {
		x.t.Cleanup(func() { _ = running.Close() })
	}
	return running, record
}

// end waits for the end of the run.
func (x *instance) end() *Record {
	x.t.Helper()
	running, record := x.attach()
	if running == nil {
		return record
	}
	record, err := running.Wait(x.t.Context(), x.uid)
	noError(x.t, err)
	return record
}

func (x *instance) until(what string, condition func() bool) {
	x.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			x.t.Fatalf("not in 20 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond) // polls
	}
}

// marked counts the processes of the instance.
func (x *instance) marked() (n int) {
	x.t.Helper()
	pids, err := processes()
	noError(x.t, err)
	for _, pid := range pids {
		if _, alive := identify(pid); !alive {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		if strings.Contains(string(environ), x.uid) {
			n++
		}
	}
	return n
}

func (x *instance) stdout() string {
	x.t.Helper()
	out, err := os.ReadFile(x.dir.Stdout())
	noError(x.t, err)
	return string(out)
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHowACommandEndedIsOnDiskBeforeItsShimEnds(t *testing.T) {
	lingers(t)
	for _, c := range []struct {
		name    string
		command []string
		code    int32
		message string
	}{
		{"success", []string{"true"}, 0, ""},
		{"a code of its own", []string{"sh", "-c", "exit 7"}, 7, ""},
		{"a signal", []string{"sh", "-c", "kill -USR1 $$"}, 128 + int32(syscall.SIGUSR1), "ended by signal"},
		{"no such command", []string{"/no/such/command"}, 127, "no such file"},
		{"no command of that name", []string{"no-such-command-at-all"}, 127, "not found"},
		{"not executable", []string{"/dev/null"}, 126, "permission denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newInstance(t)
			x.order(1, 1, c.command...)
			x.launch(1)
			r := x.end()
			if r.State != StateEnded || r.Unknown || r.Run != 1 || r.ExitCode != c.code || !strings.Contains(r.Message, c.message) {
				t.Errorf("%+v, want code %d", *r, c.code)
			}
		})
	}
}

func TestACommandGetsItsEnvironmentAndNothingOfTheWorkersSecrets(t *testing.T) {
	t.Setenv("CANDOR_TOKEN", "secret")
	x := newInstance(t)
	noError(t, x.dir.Give(&Order{UID: x.uid, Name: "web-0", Run: 1, Template: candor.InstanceTemplate{
		Command: []string{"env"}, Env: map[string]string{"COLOUR": "blue", uidVariable: "another"},
	}}))
	x.launch(1)
	x.end()
	out := x.stdout()
	if strings.Contains(out, "secret") || !strings.Contains(out, "COLOUR=blue\n") || !strings.Contains(out, uidVariable+"="+x.uid+"\n") || strings.Contains(out, "another") {
		t.Error(out)
	}
}

func TestARunIsRunOnce(t *testing.T) {
	x := newInstance(t)
	x.order(1, 1, "sh", "-c", "echo once")
	x.launch(1)
	x.end()
	x.launch(1)
	x.end()
	if out := x.stdout(); out != "once\n" {
		t.Errorf("%q", out)
	}
	x.order(2, 1, "sh", "-c", "echo twice")
	x.launch(2)
	if r := x.end(); r.Run != 2 || x.stdout() != "once\ntwice\n" {
		t.Errorf("%+v, %q", *r, x.stdout())
	}
}

func TestTwoShimsDoNotRunOneDirectory(t *testing.T) {
	x := newInstance(t)
	x.order(1, 1, "sleep", "60")
	x.launch(1)
	first, _ := x.attach()
	x.order(2, 1, "sleep", "60")
	if err := Launch(t.Context(), []string{os.Args[0], "worker-shim"}, x.dir, 2); err == nil || !strings.Contains(err.Error(), "another shim") {
		t.Errorf("%v, want the lock to be held", err)
	}
	if again, _ := x.attach(); again == nil || again.Record().Shim != first.Record().Shim || x.marked() != 1 {
		t.Errorf("%+v, %d processes", again, x.marked())
	}
}

func TestStopAsksTheWholeGroupAndIsRecorded(t *testing.T) {
	x := newInstance(t)
	x.order(1, 30, "sh", "-c", `trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.01; done`)
	x.launch(1)
	running, _ := x.attach()
	x.until("it is up", func() bool { return x.stdout() == "up\n" })
	noError(t, running.Stop())
	r, err := running.Wait(t.Context(), x.uid)
	noError(t, err)
	if r.ExitCode != 3 || !r.Stopped || x.stdout() != "up\nasked\n" {
		t.Errorf("%+v, %q", *r, x.stdout())
	}
}

func TestWhoDoesNotEndInItsGraceIsKilledWithAllThatItStarted(t *testing.T) {
	x := newInstance(t)
	// One child is of another session, and its parent is gone: a daemon.
	x.order(1, 0, "sh", "-c", `trap '' TERM; (setsid sleep 300 &) ; sleep 300 & echo up; wait; sleep 300`)
	x.launch(1)
	running, _ := x.attach()
	x.until("all are up", func() bool { return x.stdout() == "up\n" && x.marked() >= 3 })
	noError(t, running.Stop())
	r, err := running.Wait(t.Context(), x.uid)
	noError(t, err)
	if r.ExitCode != 128+int32(syscall.SIGKILL) || !r.Stopped {
		t.Errorf("%+v", *r)
	}
	if n := x.marked(); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

func TestAnInstanceIsOverWhenNoneOfItsProcessesIsLeft(t *testing.T) {
	x := newInstance(t)
	x.order(1, 1, "sh", "-c", `(setsid sleep 300 &); sleep 300 & exit 0`)
	x.launch(1)
	if r := x.end(); r.ExitCode != 0 || r.Unknown {
		t.Errorf("%+v", *r)
	}
	if n := x.marked(); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

func TestAKilledShimTakesItsCommandWithItAndTheEndIsUnknown(t *testing.T) {
	x := newInstance(t)
	x.order(1, 1, "sh", "-c", `(setsid sleep 300 &); sleep 300 & echo up; wait`)
	x.launch(1)
	running, _ := x.attach()
	x.until("all are up", func() bool { return x.stdout() == "up\n" && x.marked() >= 3 })
	noError(t, running.Kill())
	r, err := running.Wait(t.Context(), x.uid)
	noError(t, err)
	if r.State != StateEnded || !r.Unknown || !strings.Contains(r.Message, "its shim ended") {
		t.Errorf("%+v", *r)
	}
	if n := x.marked(); n != 0 {
		t.Errorf("%d processes are left", n)
	}
	if again, same := x.attach(); again != nil || *same != *r {
		t.Errorf("%+v is remembered as %+v", *r, *same)
	}
}

func TestAProcessIsToldByMoreThanItsPID(t *testing.T) {
	self, ok := identify(os.Getpid())
	if !ok {
		t.Fatal("this process is not in /proc")
	}
	p, err := openProcess(t.Context(), self)
	noError(t, err)
	if p == nil {
		t.Fatal("this process is taken for gone")
	}
	noError(t, p.close())
	other := Identity{PID: self.PID, Start: self.Start + 1}
	if p, err := openProcess(t.Context(), other); p != nil || err != nil {
		t.Errorf("a process that started later is taken for the one before: %v", err)
	}

	boot, err := BootID()
	noError(t, err)
	for name, record := range map[string]Record{
		"of another boot":  {Run: 1, State: StateRunning, BootID: "another", Shim: self, Command: self},
		"of another start": {Run: 1, State: StateRunning, BootID: boot, Shim: other, Command: other},
	} {
		x := newInstance(t)
		x.order(1, 1, "true")
		noError(t, x.dir.write(&record))
		running, r := x.attach()
		if running != nil || r == nil || !r.Unknown || r.State != StateEnded {
			t.Errorf("%s: %v, %+v", name, running, r)
		}
	}
}

func TestADamagedRecordIsAnUnknownEnd(t *testing.T) {
	x := newInstance(t)
	x.order(4, 1, "true")
	noError(t, os.WriteFile(x.dir.file(recordFile), []byte("{"), 0o600))
	if running, r := x.attach(); running != nil || r == nil || !r.Unknown || r.Run != 4 {
		t.Errorf("%v, %+v", running, r)
	}
}

func TestWaitEndsWithItsContextAndTheCommandGoesOn(t *testing.T) {
	x := newInstance(t)
	x.order(1, 1, "sleep", "300")
	x.launch(1)
	running, _ := x.attach()
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() {
		_, err := running.Wait(ctx, x.uid)
		waited <- err
	}()
	cancel()
	if err := <-waited; err == nil {
		t.Error("the wait ended as if the command had")
	}
	if x.marked() != 1 {
		t.Error("the command is gone")
	}
}

func TestLogsAreRotatedAndBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stdout.log")
	l, err := openLog(path)
	noError(t, err)
	l.most = 10
	for n := range 8 {
		if _, err := l.Write([]byte("line" + strconv.Itoa(n) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	noError(t, l.close())
	for name, want := range map[string]string{"": "line7\n", ".1": "line6\n", ".2": "line5\n", ".3": "line4\n"} {
		if got, err := os.ReadFile(path + name); err != nil || string(got) != want {
			t.Errorf("%s has %q, want %q (%v)", path+name, got, want, err)
		}
	}
	if _, err := os.Stat(path + ".4"); err == nil {
		t.Error("an old log was kept for ever")
	}
}
