package dev

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/contextfile"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/worker/shim"
)

// Options of a cluster.
type Options struct {
	// Dir is its folder.
	Dir string
	// Nodes is how many servers; 0 for what the folder has, or three.
	Nodes int
	// Workers is how many of them; 0 for what the folder has, or none.
	Workers int
	// TLS has every connection use it; nil for what the folder has, or none.
	TLS *bool
	// Program is the binary to run as `PROGRAM server …` and `PROGRAM worker …`.
	Program string
	// ServerArgs are passed on to every server.
	ServerArgs []string
	// Narrate takes lines for people.
	Narrate func(format string, args ...any)
}

// Cluster is the running processes.
type Cluster struct {
	options   Options
	layout    Layout
	certified certificates // zero without TLS
	servers   []*process
	workers   []*process
	control   *control
	lock      *shim.Lock // nil where the system has none
	stop      sync.Once
}

// Start begins every server; StartWorkers begins the workers. Stop must follow. What a
// killed predecessor left running in the folder is ended first.
func Start(o Options) (*Cluster, error) {
	if o.Dir == "" || o.Program == "" || o.Narrate == nil {
		panic("dev: folder, program and narrator are required")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, candor.Wrap("dev", err)
	}
	o.Dir = dir
	c := &Cluster{options: o}
	if err := c.begin(); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) begin() (err error) {
	dir := c.options.Dir
	if c.lock, err = hold(dir); err != nil {
		return err
	}
	if c.layout, err = loadLayout(dir, c.options, uuid.NewString()); err != nil {
		return err
	}
	if n, err := endInstances(dir); err != nil {
		return err
	} else if n > 0 {
		c.options.Narrate("ended %d instances that a cluster left running which was killed here", n)
	}
	if c.layout.TLS {
		if c.certified, err = certify(dir, c.layout); err != nil {
			return err
		}
	}
	for _, n := range c.layout.Nodes {
		c.servers = append(c.servers, c.server(n))
	}
	for i := range c.layout.Workers {
		c.workers = append(c.workers, c.worker(i))
	}
	if c.control, err = listenControl(dir, c); err != nil {
		return err
	}
	if err := startAll(c.servers); err != nil {
		return err
	}
	return c.writeContext()
}

func startAll(processes []*process) error {
	for _, p := range processes {
		if err := p.start(); err != nil && candor.ReasonOf(err) != candor.ReasonAlreadyExists {
			return err
		}
	}
	return nil
}

func (c *Cluster) server(n Node) *process {
	args := []string{
		"server", "--name", n.Name, "--data", filepath.Join(c.options.Dir, n.Name),
		"--api", n.API, "--raft", n.Raft, "--gossip", n.Gossip, "--debug", n.Debug,
		"--gossip-seeds", strings.Join(c.layout.GossipAddresses(), ","),
		"--initial-cluster", c.layout.InitialCluster(), "--cluster-token", c.layout.Token,
	}
	if files, ok := c.certified.nodes[n.Name]; ok {
		args = append(args, "--tls-ca", files.CA, "--tls-cert", files.Cert, "--tls-key", files.Key)
	}
	return &process{
		name: n.Name, about: "api " + n.API + "\tdebug " + n.Debug, program: c.options.Program,
		args: append(args, c.options.ServerArgs...), dir: c.options.Dir, ended: c.ended,
	}
}

// ended tells of a child that nobody asked to end.
func (c *Cluster) ended(name string, err error, expected bool) {
	if expected {
		return
	}
	c.options.Narrate("%s ended by itself (%v): see %s; start it again with `candor dev start %s --data %s`",
		name, err, filepath.Join(c.options.Dir, name+".log"), name, c.options.Dir)
}

// writeContext lets a second terminal reach the cluster.
func (c *Cluster) writeContext() error {
	f := contextfile.File{Current: "dev"}
	// Somebody may have said which token to use.
	before, err := contextfile.Load(c.ContextPath())
	if err == nil {
		f = before
	} else if candor.ReasonOf(err) != candor.ReasonNotFound {
		c.options.Narrate("the context file is written anew: %v", err)
	}
	dev := contextfile.Context{Name: "dev", Servers: c.layout.APIAddresses(), Namespace: contextfile.DefaultNamespace}
	if files := c.certified.admin; c.layout.TLS {
		dev.TLS = &contextfile.TLS{CA: files.CA, Cert: files.Cert, Key: files.Key}
	}
	for _, known := range f.Contexts {
		if known.Name == dev.Name {
			dev.TokenFile = known.TokenFile
		}
	}
	f.Set(dev)
	return f.Save(c.ContextPath())
}

// ContextPath is the context file of the cluster.
func (c *Cluster) ContextPath() string { return filepath.Join(c.options.Dir, "context.yaml") }

// Admin are the files to reach the cluster with; zero without TLS.
func (c *Cluster) Admin() identity.Files { return c.certified.admin }

// Layout is the cluster's.
func (c *Cluster) Layout() Layout { return c.layout }

// Act does what a second terminal could ask.
func (c *Cluster) Act(verb, node string) error {
	_, err := c.act(Request{Verb: verb, Node: node})
	return err
}

// Stop ends the workers, what they run, and the servers, gracefully, at last by force,
// and waits.
func (c *Cluster) Stop() {
	c.stop.Do(func() {
		if c.control != nil {
			c.control.close()
			_ = os.Remove(socketPath(c.options.Dir))
		}
		endAll(c.workers)
		if c.lock != nil { // without it the folder is another's
			if _, err := endInstances(c.options.Dir); err != nil {
				c.options.Narrate("not everything that the workers ran has ended: %v", err)
			}
		}
		endAll(c.servers)
		if c.lock != nil {
			_ = c.lock.Release() // the end of this process does so too
		}
	})
}

func endAll(processes []*process) {
	var wait sync.WaitGroup
	for _, p := range processes {
		wait.Go(func() { end(p) })
	}
	wait.Wait()
}

// grace is how long a server or worker may take to stop.
const grace = 15 * time.Second

func end(p *process) {
	// A paused process hears nothing before it goes on.
	_, _ = p.signal(syscall.SIGCONT, true)
	done, err := p.signal(syscall.SIGTERM, true)
	if err != nil {
		return
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		if _, err := p.signal(syscall.SIGKILL, true); err == nil {
			<-done
		}
	}
}

func (c *Cluster) all() []*process { return slices.Concat(c.servers, c.workers) }

func (c *Cluster) find(name string) *process {
	for _, p := range c.all() {
		if p.name == name {
			return p
		}
	}
	return nil
}

func (c *Cluster) names() []string {
	var out []string
	for _, p := range c.all() {
		out = append(out, p.name)
	}
	return out
}

// String is for logs.
func (c *Cluster) String() string {
	return fmt.Sprintf("%d servers and %d workers in %s", len(c.servers), len(c.workers), c.options.Dir)
}
