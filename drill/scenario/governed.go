package scenario

import (
	"errors"
	"fmt"

	"github.com/candor-plane/candor"
)

// residentsEach are the drill's own instances for each worker.
const residentsEach = 2

// Residents is how many instances the drill's own workload has on the workers.
func (c *Cluster) Residents() int { return residentsEach * c.Workers }

// ModeBy is what a policy declares by a signal; nil for nothing. Servers take modes of one
// signal only where they come to the same.
func ModeBy(policy *candor.FailurePolicySpec, signal string) *candor.FailureMode {
	for i := range policy.Modes {
		if m := &policy.Modes[i]; m.Signal == signal {
			return m
		}
	}
	return nil
}

// governed says what is wrong with the policy of nodes or of what workers run. What servers
// refuse of it they refuse when the drill begins.
func (c *Cluster) governed() error {
	switch {
	case c.Policy == nil:
		return nil
	case c.Policy.Objects != "":
		return errors.New("cluster.policy: objects means nothing to it: it is for all that is the drill's own")
	case c.Policy.Kind == candor.KindNodes:
		return c.governsNodes()
	case c.Policy.Kind == candor.KindWorkloads:
		return c.governsWorkloads()
	default:
		return fmt.Errorf("cluster.policy: is for %s, want one for %s or %s", c.Policy.Kind, candor.KindNodes, candor.KindWorkloads)
	}
}

func (c *Cluster) governsNodes() error {
	switch {
	case c.Policy.Silence() == nil:
		return fmt.Errorf("cluster.policy: want a mode by %s", candor.SignalHeartbeat)
	case c.Nodes == 0:
		return errors.New("cluster.policy: want cluster.nodes that it is for")
	default:
		return nil
	}
}

func (c *Cluster) governsWorkloads() error {
	switch {
	case ModeBy(c.Policy, candor.SignalExit) == nil && ModeBy(c.Policy, candor.SignalProbe) == nil:
		return fmt.Errorf("cluster.policy: want a mode by %s or %s", candor.SignalExit, candor.SignalProbe)
	case c.Workers == 0:
		return errors.New("cluster.policy: want cluster.workers, whose instances it is for")
	default:
		return nil
	}
}
