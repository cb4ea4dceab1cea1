package candor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"

	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

const (
	fleetPrefix = "sim"
	// wanted is how many workloads go in one transaction, drained how many nodes.
	wanted  = 50
	drained = 50
	// instanceAsks is of each instance: 60 fit on a simulated node.
	instanceAsks = `{"cpu":"250m","memory":"1Gi"}`
)

func nodeName(i int) string { return fmt.Sprintf("%s-%04d", fleetPrefix, i+1) }

// Play runs `candor worker --simulate`.
func (c *cluster) Play(ctx context.Context, nodes int) (*process.Child, error) {
	child, err := c.spawner.Start(process.Command{
		Path: c.binary, Log: filepath.Join(c.dir, "fleet.log"),
		Args: []string{"worker", "--simulate", strconv.Itoa(nodes), "--name", fleetPrefix, "--server", strings.Join(c.addresses, ","), "--log-level", "warn"},
	})
	if err != nil {
		return nil, fmt.Errorf("start the simulated nodes: %w", err)
	}
	if err := c.awaitNodes(ctx, child, nodes); err != nil {
		return nil, errors.Join(fmt.Errorf("await %d simulated nodes: %w", nodes, err), child.Kill())
	}
	return child, nil
}

func (c *cluster) awaitNodes(ctx context.Context, child *process.Child, nodes int) error {
	for {
		ready := 0
		err := c.asked(func(sdk *client.Client) error {
			for o, err := range sdk.All(ctx, candor.KindNodes, client.ListOptions{}) {
				if err != nil {
					return err
				}
				status, err := decoded[candor.NodeStatus](o.Status)
				if err != nil {
					return err
				}
				if status.Conditions.True(candor.ConditionReady) {
					ready++
				}
			}
			return nil
		})
		if err != nil || ready == nodes {
			return err
		}
		if err := child.Err(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d are ready: %w", ready, ctx.Err())
		case <-time.After(10 * pollInterval):
		}
	}
}

// Want creates the workloads, in transactions of many.
func (c *cluster) Want(ctx context.Context, workloads, replicas int) error {
	return c.asked(func(sdk *client.Client) error {
		for from := 0; from < workloads; from += wanted {
			operations := make([]client.Op, 0, wanted)
			for i := from; i < min(from+wanted, workloads); i++ {
				operations = append(operations, client.OpCreate(&candor.Object{
					APIVersion: candor.APIVersion, Kind: "Workload",
					Metadata: candor.Metadata{Namespace: system.Namespace, Name: "work-" + strconv.Itoa(i)},
					Spec:     fmt.Appendf(nil, `{"replicas":%d,"template":{"command":["/bin/true"],"resources":%s}}`, replicas, instanceAsks),
				}))
			}
			if _, err := sdk.Txn().Then(operations...).Commit(ctx); err != nil {
				return fmt.Errorf("create workloads from %d: %w", from, err)
			}
		}
		return nil
	})
}

// Drain sets spec.drain, in transactions of many.
func (c *cluster) Drain(ctx context.Context, nodes int) error {
	return c.asked(func(sdk *client.Client) error {
		for from := 0; from < nodes; from += drained {
			operations := make([]client.Op, 0, drained)
			for i := from; i < min(from+drained, nodes); i++ {
				node, _, err := sdk.Get(ctx, candor.Ref{Kind: candor.KindNodes, Name: nodeName(i)})
				if err != nil {
					return err
				}
				next := *node
				next.Status, next.Observed, next.Cause = nil, nil, nil
				// What else changes a node's status meanwhile is no reason to refuse.
				next.Metadata.ResourceVersion = 0
				next.Spec = json.RawMessage(`{"drain":true}`)
				operations = append(operations, client.OpUpdate(&next))
			}
			if _, err := sdk.Txn().Then(operations...).Commit(ctx); err != nil {
				return fmt.Errorf("drain nodes from %d: %w", from, err)
			}
		}
		return nil
	})
}

// First goes by the number in the name.
func (c *cluster) First(node string, n int) bool {
	number, err := strconv.Atoi(strings.TrimPrefix(node, fleetPrefix+"-"))
	return err == nil && number <= n
}

// Follow watches instances at a follower: it is to know what becomes of them, and to
// take nothing from who decides.
func (c *cluster) Follow(ctx context.Context, ready func(), tell func(system.Instance)) error {
	return c.asked(func(sdk *client.Client) error {
		w, err := sdk.Watch(ctx, client.WatchOptions{
			Kind: candor.KindInstances, Namespace: system.Namespace, Read: []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)},
		})
		if err != nil {
			return err
		}
		defer func() { _ = w.Close() }()
		ready()
		for {
			batch, err := w.Next(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return fmt.Errorf("follow instances: %w", err)
			}
			for i := range batch.Events {
				version, err := instance(&batch.Events[i])
				if err != nil {
					return err
				}
				tell(version)
			}
		}
	})
}

func instance(event *candor.Event) (system.Instance, error) {
	version := system.Instance{UID: event.Object.Metadata.UID, Gone: event.Type == candor.EventDeleted}
	status, err := decoded[candor.InstanceStatus](event.Object.Status)
	if err != nil {
		return version, err
	}
	observed, err := decoded[candor.InstanceObserved](event.Object.Observed)
	if err != nil {
		return version, err
	}
	version.Node, version.Ready = status.Node, status.Conditions.True(candor.ConditionReady)
	version.Running = observed.State == candor.ProcessRunning
	return version, nil
}

func decoded[T any](raw json.RawMessage) (into T, err error) {
	if len(raw) == 0 {
		return into, nil
	}
	if err = json.Unmarshal(raw, &into); err != nil {
		return into, fmt.Errorf("decode an object: %w", err)
	}
	return into, nil
}

// asked gives ask a client of its own.
func (c *cluster) asked(ask func(*client.Client) error) error {
	config := c.config(actor, c.addresses...)
	config.Timeout = time.Minute
	sdk, err := client.New(config)
	if err != nil {
		return fmt.Errorf("dial candor: %w", err)
	}
	defer func() { _ = sdk.Close() }()
	return ask(sdk)
}
