package integration

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

var binary string

func TestMain(m *testing.M) {
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

	child *exec.Cmd
	ended chan struct{}
	// from is where the log of the last start begins.
	from int64
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
		if bytes.Contains(text, []byte("panic: ")) || bytes.Contains(text, []byte("DATA RACE")) {
			t.Errorf("%s panicked or raced:\n%s", p.name, text)
		}
		if t.Failed() && err == nil {
			t.Logf("%s: %s", p.name, text[max(0, len(text)-2000):])
		}
	})
	return p
}

// freeAddress is one that nothing listens on now. It lies below the ports that
// the system gives to connections, so that none of them takes it later.
func freeAddress(t *testing.T) string {
	t.Helper()
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(18000))); err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal(err)
	return ""
}

func (p *process) begin(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if p.from, err = log.Seek(0, 2); err != nil {
		t.Fatal(err)
	}
	launch := p.launch
	if launch == nil {
		launch = func(args ...string) *exec.Cmd { return exec.Command(binary, args...) }
	}
	args := append([]string{"server", "--name", p.name, "--data", p.data, "--api", p.api, "--raft", p.raft}, p.flags...)
	child := launch(args...)
	child.Stdout, child.Stderr = log, log
	if child.SysProcAttr == nil {
		child.SysProcAttr = lifeline()
	}
	start := p.start
	if start == nil {
		start = (*exec.Cmd).Start
	}
	if err := start(child); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = child.Wait()
		close(ended)
	}()
	p.child, p.ended = child, ended
}

// kill ends the process with SIGKILL and waits for its end.
func (p *process) kill() {
	if p.child != nil {
		_ = p.child.Process.Kill()
		<-p.ended
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
	data, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(data[min(p.from, int64(len(data))):])
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
	_, failure, told := strings.Cut(text, "error: ")
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
