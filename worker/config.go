package worker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker/shim"
)

// Config is what an Agent is to be.
type Config struct {
	// Name of the node; empty is the machine's.
	Name string
	// Data is where instances are kept track of, and their logs are.
	Data string
	// Labels and Taints of a node that is not there yet.
	Labels map[string]string
	Taints []candor.Taint
	// Capacity that instances may hold; nil is what the machine has, less Reserve.
	Capacity candor.Resources
	Reserve  candor.Resources
	// Address is where the machine is reached, for people.
	Address string
	Version string
	// Shim is the command line of a shim, but for the directory that follows it.
	Shim []string

	Nodes     Nodes
	Instances Instances
	// Policies are the failure policies, which say what is done about processes that
	// fail and probes that do.
	Policies Feed
	Logger   hclog.Logger

	// Observers is how many observations are told at a time; 0 is 8.
	Observers int
	// UnhealthyAfter is how long a probe fails before the process is started again, where
	// no policy says; 0 is 30 s.
	UnhealthyAfter time.Duration
	// Retain is for how long the directory of an instance stays that is over, and
	// RetainCount how many; 0 is an hour, and 100.
	Retain      time.Duration
	RetainCount int

	// retryAfter is how long the agent waits after it could not keep track of an instance.
	retryAfter time.Duration
}

func (c *Config) complete() error {
	if c.Nodes == nil || c.Instances == nil || c.Policies == nil || c.Logger == nil {
		panic("worker: an agent needs nodes, instances, policies and a logger")
	}
	if c.Data == "" || len(c.Shim) == 0 {
		return candor.Errorf(candor.ReasonInvalid, "a worker needs a data directory and the command line of its shim")
	}
	var err error
	if c.Data, err = filepath.Abs(c.Data); err != nil {
		return candor.Wrap("data directory", err)
	}
	if c.Name == "" {
		if c.Name, err = hostname(); err != nil {
			return err
		}
	}
	if err := candor.CheckName("name", c.Name); err != nil {
		return err
	}
	if c.Capacity == nil {
		c.Capacity = Capacity()
	}
	c.Capacity = c.Capacity.Minus(c.Reserve)
	if c.Observers <= 0 {
		c.Observers = 8
	}
	if c.UnhealthyAfter <= 0 {
		c.UnhealthyAfter = 30 * time.Second
	}
	if c.Retain <= 0 {
		c.Retain = time.Hour
	}
	if c.RetainCount <= 0 {
		c.RetainCount = 100
	}
	if c.retryAfter <= 0 {
		c.retryAfter = 5 * time.Second
	}
	return nil
}

func (c *Config) registration(session, boot, system, architecture string) client.NodeRegistration {
	return client.NodeRegistration{
		Name: c.Name, Labels: c.Labels, Taints: c.Taints,
		Observed: candor.NodeObserved{
			Capacity: c.Capacity, Session: session, BootID: boot, Version: c.Version, OS: system, Arch: architecture, Address: c.Address,
		},
	}
}

// NewSessionID draws the ID of a session of a worker: another session of the same one
// may take its nodes over while it lives, those of others once it does not.
func NewSessionID(worker string) string { return worker + "." + unique() }

// workerOf is the worker that a session is of.
func workerOf(session string) string {
	worker, _, _ := strings.Cut(session, ".")
	return worker
}

func unique() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

// identity is the worker's for as long as it keeps its data directory.
func identity(data string) (string, error) {
	path := filepath.Join(data, "worker.id")
	text, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(text)); err == nil && id != "" {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", candor.Wrap("read the worker's ID", err)
	}
	id := unique()
	return id, candor.Wrap("write the worker's ID", shim.Replace(path, []byte(id+"\n")))
}
