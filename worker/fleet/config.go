package fleet

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker"
)

// Deleter removes nodes. *client.Client is one.
type Deleter interface {
	Delete(ctx context.Context, ref candor.Ref, options ...client.WriteOption) (client.Result, error)
}

// Config is what a Fleet is to be.
type Config struct {
	// Count of nodes, named Prefix-0001 and so on; empty is "sim".
	Count  int
	Prefix string
	// Zones that they are spread over in turn; 0 is 3.
	Zones    int
	Labels   map[string]string
	Taints   []candor.Taint
	Capacity candor.Resources
	Version  string

	// StartDelay is how long an instance takes to start.
	StartDelay time.Duration
	// FailEvery: each so many'th start ends soon with exit code 1; 0 is never.
	FailEvery int
	// Observers is how many observations are told at a time; 0 is 256.
	Observers int
	// Cleanup removes the nodes when the fleet ends, within CleanupTimeout; 0 is 30 s.
	Cleanup        bool
	CleanupTimeout time.Duration

	Nodes     worker.Nodes
	Instances worker.Instances
	Deleter   Deleter
	Logger    hclog.Logger
}

// Capacity is what a simulated node has where nothing else is said.
func Capacity() candor.Resources {
	return candor.Resources{{Name: candor.ResourceCPU, Value: 16_000}, {Name: candor.ResourceMemory, Value: 64 << 30}}
}

// mostNodes bounds a fleet.
const mostNodes = 50_000

func (c *Config) complete() error {
	if c.Nodes == nil || c.Instances == nil || c.Deleter == nil || c.Logger == nil {
		panic("fleet: nodes, instances, a deleter and a logger are required")
	}
	if c.Count < 1 || c.Count > mostNodes {
		return candor.Errorf(candor.ReasonInvalid, "%d simulated nodes: want 1 to %d", c.Count, mostNodes)
	}
	if c.StartDelay < 0 || c.FailEvery < 0 {
		return candor.Errorf(candor.ReasonInvalid, "start delay (%v) and fail-every (%d) must not be negative", c.StartDelay, c.FailEvery)
	}
	if c.Prefix == "" {
		c.Prefix = "sim"
	}
	if c.Zones <= 0 {
		c.Zones = 3
	}
	if c.Observers <= 0 {
		c.Observers = 256
	}
	if c.CleanupTimeout <= 0 {
		c.CleanupTimeout = 30 * time.Second
	}
	if c.Capacity == nil {
		c.Capacity = Capacity()
	}
	return candor.CheckName("name", c.name(1))
}

func (c *Config) name(n int) string { return fmt.Sprintf("%s-%04d", c.Prefix, n) }

func (c *Config) registrations(session string) []client.NodeRegistration {
	nodes := make([]client.NodeRegistration, c.Count)
	for i := range nodes {
		name := c.name(i + 1)
		labels := map[string]string{candor.LabelZone: "zone-" + strconv.Itoa(i%c.Zones+1), candor.LabelHost: name}
		maps.Copy(labels, c.Labels)
		nodes[i] = client.NodeRegistration{
			Name: name, Labels: labels, Taints: c.Taints,
			Observed: candor.NodeObserved{Capacity: c.Capacity, Session: session, Version: c.Version, OS: "none", Arch: "none", Simulated: true},
		}
	}
	return nodes
}
