package doctor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// roleVariable makes this test's binary a drill with a child, or the child.
const roleVariable = "CANDOR_DOCTOR_ROLE"

func playRole() (code int, played bool) {
	var err error
	switch os.Getenv(roleVariable) {
	case "":
		return 0, false
	case "drill":
		err = beDrill(os.Args[1])
	case "server":
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

// beDrill makes a directory and a process that outlives it, says which, and waits.
func beDrill(parent string) error {
	d, err := NewDirectory(parent)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.Path, "log"), []byte("x"), 0o600); err != nil {
		return err
	}
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), roleVariable+"=server", d.Mark.Environment())
	// Its input lasts longer than the drill.
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	server.Stdin, server.ExtraFiles = read, []*os.File{write}
	if err := server.Start(); err != nil {
		return err
	}
	fmt.Println(d.Path, server.Process.Pid)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// aDrill is one that runs; its end is in kill.
type aDrill struct {
	command *exec.Cmd
	path    string
	server  int
	held    int
}

func newDrill(t *testing.T, parent string) *aDrill {
	t.Helper()
	d := &aDrill{command: exec.Command(os.Args[0], parent)}
	d.command.Env = append(os.Environ(), roleVariable+"=drill")
	d.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	d.command.Stderr = os.Stderr
	if _, err := d.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := d.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	path, server, _ := strings.Cut(strings.TrimSpace(line), " ")
	if d.path = path; path == "" {
		t.Fatal(line)
	}
	if d.server, err = strconv.Atoi(server); err != nil {
		t.Fatal(err)
	}
	if d.held, err = unix.PidfdOpen(d.server, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.PidfdSendSignal(d.held, unix.SIGKILL, nil, 0)
		_ = unix.Close(d.held)
	})
	return d
}

func (d *aDrill) kill() {
	_ = d.command.Process.Kill()
	_ = d.command.Wait()
}

// left says whether directory and process are there.
func (d *aDrill) left(t *testing.T) (directory, process bool) {
	t.Helper()
	_, err := os.Stat(d.path)
	ready := []unix.PollFd{{Fd: int32(d.held), Events: unix.POLLIN}}
	n, failed := unix.Poll(ready, 0)
	if failed != nil {
		t.Fatal(failed)
	}
	return err == nil, n == 0
}

// TestCleanRemovesWhatAKilledDrillLeft: and nothing of a drill that lives, nor
// directories that are named alike and carry no mark.
func TestCleanRemovesWhatAKilledDrillLeft(t *testing.T) {
	parent := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir()) // another drill of this machine is its owner's
	dead, alive := newDrill(t, parent), newDrill(t, parent)
	unmarked := filepath.Join(parent, directoryPrefix+"notes")
	strange := filepath.Join(parent, directoryPrefix+"strange")
	for _, path := range []string{unmarked, strange} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(strange, markFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	dead.kill()
	if directory, process := dead.left(t); !directory || !process {
		t.Fatalf("a killed drill left its directory %t, its process %t: there is nothing to clean", directory, process)
	}

	removed, err := Clean(t.Context(), parent)
	if err != nil {
		t.Fatal(err)
	}
	if directory, process := dead.left(t); directory || process {
		t.Errorf("cleaned, and of the dead drill the directory is there %t, the process %t", directory, process)
	}
	if directory, process := alive.left(t); !directory || !process {
		t.Errorf("cleaned, and of the living drill the directory is there %t, the process %t", directory, process)
	}
	for _, path := range []string{unmarked, strange} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("cleaned, and what carries no mark is gone: %v", err)
		}
	}
	if !slices.Contains(removed, "directory "+dead.path) {
		t.Errorf("removed %q does not name the directory %s", removed, dead.path)
	}
	if want := fmt.Sprintf("process %d ", dead.server); !slices.ContainsFunc(removed, func(s string) bool { return strings.HasPrefix(s, want) }) {
		t.Errorf("removed %q does not name the process %d", removed, dead.server)
	}
	if again, err := Clean(t.Context(), parent); err != nil || slices.ContainsFunc(again, func(s string) bool { return strings.Contains(s, parent) }) {
		t.Errorf("cleaned again: removed %q: %v", again, err)
	}
}

func TestCleanUnmountsBeforeItRemoves(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: what a drill left mounted in the machine's own namespace takes root to make")
	}
	parent := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	d := newDrill(t, parent)
	at := filepath.Join(d.path, "a disk")
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", at, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("SKIPPED: the kernel refuses to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
	d.kill()
	removed, err := Clean(t.Context(), parent)
	if err != nil || !slices.Contains(removed, "mount "+at) || !slices.Contains(removed, "directory "+d.path) {
		t.Errorf("removed %q: %v; want the mount at %s and the directory", removed, err, at)
	}
}

// TestAMarkIsNobodyElses: a process that has the number of a drill's owner and
// began at another time is not the owner.
func TestAMarkIsNobodyElses(t *testing.T) {
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*Mark)
		dead   bool
	}{
		"this process":            {func(*Mark) {}, false},
		"its number came again":   {func(m *Mark) { m.Start++ }, true},
		"before the last boot":    {func(m *Mark) { m.Boot = "another" }, true},
		"in another PID space":    {func(m *Mark) { m.Space, m.Start = "pid:[1]", m.Start+1 }, false},
		"a number of no process":  {func(m *Mark) { m.Owner = 1 << 30 }, true},
		"another, which is there": {func(m *Mark) { m.Owner = os.Getppid() }, true},
	} {
		m := self
		test.change(&m)
		if dead, err := m.dead(); err != nil || dead != test.dead {
			t.Errorf("%s: dead %t: %v", name, dead, err)
		}
	}
}

func TestPathsOfMountsAreReadAsTheyAre(t *testing.T) {
	if got := unescape(`/tmp/a\040disk\134x`); got != `/tmp/a disk\x` {
		t.Errorf("unescaped: %q", got)
	}
}

func TestEveryProbeSaysWhyItIsNotAble(t *testing.T) {
	for _, p := range Examine(t.Context(), Checks()...) {
		t.Logf("%+v", p)
		if p.Injector == "" || p.Use == "" || p.Fallback == "" || p.Able == (p.Why != "") {
			t.Errorf("%+v", p)
		}
	}
}
