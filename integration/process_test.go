package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/candor-plane/candor/client"
)

var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

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

// process is one server, which may come and go.
type process struct {
	name, api string
	log       string
	args      []string
	child     *exec.Cmd
}

type cluster struct {
	t       *testing.T
	servers []*process
}

func start(t *testing.T, n int) *cluster {
	t.Helper()
	c, dir, initial := &cluster{t: t}, t.TempDir(), []string{}
	for i := range n {
		p := &process{name: fmt.Sprintf("n%d", i+1), api: freeAddress(t)}
		raft := freeAddress(t)
		initial = append(initial, p.name+"="+p.api+"/"+raft)
		p.log = filepath.Join(dir, p.name+".log")
		p.args = []string{"server", "--name", p.name, "--data", filepath.Join(dir, p.name), "--api", p.api, "--raft", raft,
			"--gossip", "", "--debug", "", "--disk-watermark", "1"}
		c.servers = append(c.servers, p)
	}
	for _, p := range c.servers {
		p.args = append(p.args, "--initial-cluster", strings.Join(initial, ","))
		p.begin(t)
	}
	t.Cleanup(func() {
		for _, p := range c.servers {
			p.kill()
			if data, err := os.ReadFile(p.log); t.Failed() && err == nil {
				t.Logf("%s: %s", p.name, data[max(0, len(data)-2000):])
			}
		}
	})
	return c
}

// freeAddress is one that nothing listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *process) begin(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.child = exec.Command(binary, p.args...)
	p.child.Stdout, p.child.Stderr = log, log
	p.child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.child.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process with SIGKILL and waits for its end.
func (p *process) kill() {
	if p.child != nil {
		_ = p.child.Process.Kill()
		_ = p.child.Wait()
		p.child = nil
	}
}

func (c *cluster) client() *client.Client {
	c.t.Helper()
	var endpoints []string
	for _, p := range c.servers {
		endpoints = append(endpoints, p.api)
	}
	k, err := client.New(client.Config{Endpoints: endpoints, Actor: "test"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = k.Close() })
	return k
}
