package worker

import (
	"context"
	"encoding/json"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Nodes is how a worker speaks of nodes. *client.Client has it.
type Nodes interface {
	RegisterNodes(ctx context.Context, nodes []client.NodeRegistration) ([]client.RegisteredNode, error)
	Heartbeat(ctx context.Context, beats []client.Beat) (client.Heartbeats, error)
	Get(ctx context.Context, ref candor.Ref, options ...client.ReadOption) (*candor.Object, candor.Witness, error)
}

// Feed is where a worker learns of the objects of a kind.
type Feed interface {
	// List is a page of those that the selector matches.
	List(ctx context.Context, selector, after string) (*client.Page, error)
	// Watch delivers what becomes of them after a revision, until ctx ends.
	Watch(ctx context.Context, selector string, after uint64) (Events, error)
}

// Instances is where a worker learns of instances, and tells of them.
type Instances interface {
	Feed
	// Observe replaces what is observed of the instance of that UID.
	Observe(ctx context.Context, ref candor.Ref, uid string, observed candor.InstanceObserved) error
}

// Events are a watch under way.
type Events interface {
	Next(ctx context.Context) (client.WatchBatch, error)
	Close() error
}

// Over is the instances of the cluster that c talks to.
func Over(c *client.Client) Instances { return remote{c, candor.KindInstances} }

// PoliciesOver is the failure policies of the cluster that c talks to.
func PoliciesOver(c *client.Client) Feed { return remote{c, candor.KindFailurePolicies} }

type remote struct {
	client *client.Client
	kind   candor.KindName
}

func (r remote) List(ctx context.Context, selector, after string) (*client.Page, error) {
	return r.client.List(ctx, r.kind, client.ListOptions{Selector: selector, Continue: after})
}

func (r remote) Watch(ctx context.Context, selector string, after uint64) (Events, error) {
	return r.client.Watch(ctx, client.WatchOptions{
		Kind: r.kind, Selector: selector, AfterRevision: after,
		Read: []client.ReadOption{client.WithFreshness(candor.FreshnessBounded)},
	})
}

func (r remote) Observe(ctx context.Context, ref candor.Ref, uid string, observed candor.InstanceObserved) error {
	data, err := json.Marshal(observed)
	if err != nil {
		return err
	}
	_, err = r.client.Observe(ctx, ref, data, client.WithPreconditions(0, uid), client.WithoutObject())
	return err
}
