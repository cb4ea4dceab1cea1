package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/stage"
	drilled "github.com/candor-plane/candor/drill/stage/process"
)

var binary string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == stage.ChildArgument {
		os.Exit(stage.Child(os.Args[2:]))
	}
	if code, played := playRole(); played {
		os.Exit(code)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "candor-integration-")
	if err == nil {
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "candor")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", binary, "../cmd/candor").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build candor:", err)
		return 1
	}
	return m.Run()
}

// process is one server, which may come and go. It dies with the test's process.
type process struct {
	name, api, raft string
	data, log       string
	// flags are all but the name, the directory and the addresses.
	flags []string
	// launch makes the command of a start; nil runs the binary as it is. start
	// starts it; nil starts it here.
	launch func(args ...string) *exec.Cmd
	start  func(child *exec.Cmd) error

	// watches are system calls that wait for answers; launch is not used then.
	watches []drilled.Watch

	// run is the last one. child and ended are its, and child is nil once its end was
	// taken note of.
	run   *drilled.Run
	child *exec.Cmd
	ended <-chan struct{}
	// panics says that a panic is what the test is about.
	panics bool
}

// newProcess is a server on free addresses, which has not begun. The test's
// cleanup ends it, and wants it never to have panicked.
func newProcess(t *testing.T, dir, name string, flags ...string) *process {
	t.Helper()
	p := &process{
		name: name, api: freeAddress(t), raft: freeAddress(t), data: filepath.Join(dir, name), log: filepath.Join(dir, name+".log"),
		flags: append([]string{"--gossip", "", "--debug", "", "--disk-watermark", "1"}, flags...),
	}
	t.Cleanup(func() {
		p.kill()
		text, err := os.ReadFile(p.log)
		if faulty := drilled.Faulty(text); faulty && (!p.panics || bytes.Contains(text, []byte("DATA RACE"))) {
			t.Errorf("%s panicked or raced:\n%s", p.name, text)
		}
		if t.Failed() && err == nil {
			t.Logf("%s: %s", p.name, text[max(0, len(text)-2000):])
		}
	})
	return p
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := drilled.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// children is how this test's binary is run to play a part for a drill's pieces.
func children(t *testing.T) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{self, stage.ChildArgument}
}

// begin begins a run. Where the kernel does not ask about system calls that are to be
// watched, it skips the test.
func (p *process) begin(t *testing.T) {
	t.Helper()
	s := drilled.Server{
		Name: p.name, API: p.api, Raft: p.raft, Data: p.data, Log: p.log, Binary: binary, Flags: p.flags,
		Start: p.start, Watches: p.watches, Child: children(t),
	}
	if p.launch != nil {
		s.Command = func(_ string, args ...string) *exec.Cmd { return p.launch(args...) }
	}
	run, err := s.Begin()
	if candor.ReasonOf(err) == candor.ReasonUnimplemented {
		t.Skipf("SKIPPED, what needs watched system calls is not tested: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.run, p.child, p.ended = run, run.Child, run.Ended()
}

// kill ends the process with SIGKILL and waits for its end.
func (p *process) kill() {
	if p.child != nil {
		p.run.Kill()
		p.child = nil
	}
}

// stop ends it as an operator does.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t, 20*time.Second); code != candor.ExitDone {
		t.Fatalf("%s stopped with %d:\n%s", p.name, code, p.said(t))
	}
}

// end waits until the process has ended by itself and returns its exit code.
func (p *process) end(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		text := p.said(t)
		p.kill()
		t.Fatalf("%s still runs after %s:\n%s", p.name, within, text)
	}
	code := p.child.ProcessState.ExitCode()
	p.child = nil
	return code
}

// said is what the process wrote since it began.
func (p *process) said(t *testing.T) string {
	t.Helper()
	text, err := p.run.Said()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// refuses starts the server and wants it to end at once, before it serves, with
// the reason's exit code and words that name what stands in the way.
func (p *process) refuses(t *testing.T, reason candor.Reason, names ...string) {
	t.Helper()
	p.begin(t)
	p.endsWith(t, reason, names...)
	if text := p.said(t); strings.Contains(text, "server listens") {
		t.Errorf("%s served before it refused:\n%s", p.name, text)
	}
}

// endsWith wants the process to end by itself, saying why.
func (p *process) endsWith(t *testing.T, reason candor.Reason, names ...string) {
	t.Helper()
	code := p.end(t, 10*time.Second)
	text := p.said(t)
	// A line of its own: what is logged before may say "error: ", too.
	_, failure, told := strings.Cut("\n"+text, "\nerror: ")
	if !told || !strings.HasPrefix(failure, string(reason)+" ") || code != reason.Disposition().Exit {
		t.Errorf("%s ended with %d, want %d and %s:\n%s", p.name, code, reason.Disposition().Exit, reason, text)
	}
	_, found, _ := strings.Cut(failure, "found: ")
	for _, name := range names {
		if !strings.Contains(found, name) {
			t.Errorf("%s ended without naming %q: %s", p.name, name, found)
		}
	}
}

// command runs the command line and returns its exit code and all it wrote.
func command(t *testing.T, args ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.SysProcAttr = lifeline()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}
