package workload

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Clean takes away what workloads made: their namespaces with everything inside, the
// simulated nodes of placements, and the kind. It tries until ctx ends, and finds nothing
// to do where that is gone already. It is for clusters that outlive a drill; no workload
// may run meanwhile.
func Clean(ctx context.Context, c Cluster) error {
	k, err := c.Client()
	if err != nil {
		return candor.Wrap("clean up after a drill", err)
	}
	return candor.Wrap("clean up after a drill", firstOf(clean(ctx, k), k.Close()))
}

func clean(ctx context.Context, k *client.Client) error {
	// What the nodes had run is lost with them, and waits for nobody.
	var nodes, namespaces []candor.Ref
	for n := range simulatedNodes {
		nodes = append(nodes, candor.Ref{Kind: candor.KindNodes, Name: simulatedName(n)})
	}
	for _, name := range Names() {
		namespaces = append(namespaces, candor.Ref{Kind: candor.KindNamespaces, Name: NamespaceOf(name)})
	}
	if err := removed(ctx, k, append(nodes, namespaces...)); err != nil {
		return err
	}
	return removed(ctx, k, []candor.Ref{{Kind: candor.KindKinds, Name: string(Kind)}})
}

// removed deletes objects and waits until each is gone.
func removed(ctx context.Context, k *client.Client, refs []candor.Ref) error {
	for _, ref := range refs {
		if err := persist(ctx, func(ctx context.Context) error { return remove(ctx, k, ref) }); err != nil {
			return err
		}
	}
	for _, ref := range refs {
		if err := persist(ctx, func(ctx context.Context) error { return gone(ctx, k, ref) }); err != nil {
			return err
		}
	}
	return nil
}

func remove(ctx context.Context, k *client.Client, ref candor.Ref) error {
	_, err := k.Delete(ctx, ref, client.WithReason(actorReason, "the end of a drill"))
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return nil
	}
	return err
}

func gone(ctx context.Context, k *client.Client, ref candor.Ref) error {
	_, _, err := k.Get(ctx, ref)
	switch candor.ReasonOf(err) {
	case candor.ReasonNotFound:
		return nil
	case "":
		return candor.Errorf(candor.ReasonConflict, "%s is still there", ref)
	default:
		return err
	}
}
