package dev

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/contextfile"
	"github.com/candor-plane/candor/identity"
)

// Options of a cluster.
type Options struct {
	// Dir is its folder.
	Dir string
	// Nodes is how many servers; 0 for what the folder has, or three.
	Nodes int
	// TLS has every connection use it; nil for what the folder has, or none.
	TLS *bool
	// Program is the binary to run as `PROGRAM server …`.
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
	processes []*process
	control   *control
	stop      sync.Once
}

// Start begins every server. Stop must follow.
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
	if c.layout, err = loadLayout(dir, o.Nodes, o.TLS, uuid.NewString()); err != nil {
		return nil, err
	}
	if c.layout.TLS {
		if c.certified, err = certify(dir, c.layout); err != nil {
			return nil, err
		}
	}
	for _, n := range c.layout.Nodes {
		c.processes = append(c.processes, c.process(n))
	}
	if c.control, err = listenControl(dir, c); err != nil {
		return nil, err
	}
	for _, p := range c.processes {
		if err := p.start(); err != nil {
			c.Stop()
			return nil, err
		}
	}
	return c, c.writeContext()
}

func (c *Cluster) process(n Node) *process {
	args := []string{
		"server", "--name", n.Name, "--data", filepath.Join(c.options.Dir, n.Name),
		"--api", n.API, "--raft", n.Raft, "--gossip", n.Gossip, "--debug", n.Debug,
		"--gossip-seeds", strings.Join(c.layout.GossipAddresses(), ","),
		"--initial-cluster", c.layout.InitialCluster(), "--cluster-token", c.layout.Token,
	}
	if files, ok := c.certified.nodes[n.Name]; ok {
		args = append(args, "--tls-ca", files.CA, "--tls-cert", files.Cert, "--tls-key", files.Key)
	}
	return &process{node: n, program: c.options.Program, args: append(args, c.options.ServerArgs...), dir: c.options.Dir, ended: c.ended}
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

// Stop ends every server gracefully, at last by force, and waits.
func (c *Cluster) Stop() {
	c.stop.Do(func() {
		if c.control != nil {
			c.control.close()
			_ = os.Remove(socketPath(c.options.Dir))
		}
		var wait sync.WaitGroup
		for _, p := range c.processes {
			wait.Go(func() {
				end(p)
			})
		}
		wait.Wait()
	})
}

// grace is how long a server may take to stop.
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

func (c *Cluster) find(name string) *process {
	for _, p := range c.processes {
		if p.node.Name == name {
			return p
		}
	}
	return nil
}

func (c *Cluster) names() []string {
	out := make([]string, 0, len(c.processes))
	for _, p := range c.processes {
		out = append(out, p.node.Name)
	}
	return out
}

// String is for logs.
func (c *Cluster) String() string {
	return fmt.Sprintf("%d nodes in %s", len(c.processes), c.options.Dir)
}
