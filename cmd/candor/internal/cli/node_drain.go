package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NodeDrainOptions are those of `candor node drain`.
type NodeDrainOptions struct {
	*Factory
	Nodes []string
	Wait  bool
}

// NewCmdNodeDrain returns `candor node drain`.
func NewCmdNodeDrain(f *Factory, run func(context.Context, *NodeDrainOptions) error) *cobra.Command {
	o := &NodeDrainOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "drain NODE...", Short: "Have the instances of nodes go elsewhere, as disruption budgets allow",
		Long: `Have the instances of nodes go elsewhere: nothing new comes, and what is there is
evicted as far as disruption budgets allow, until nothing is left. It is asked for
and goes on by itself; --wait waits until nothing is left. "candor why node NODE"
says what holds it up, and "candor node uncordon" ends it.

Exit code 9: with --wait, the time was over and something was left.`,
		Example:           "candor node drain w1\ncandor node drain w1 w2 --wait --timeout 5m",
		Args:              arguments(1, -1, "one or more workers' nodes"),
		ValidArgsFunction: f.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Nodes = args
			return runs(run, runNodeDrain)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Wait, "wait", false, "wait until nothing is left on them")
	return remotely(cmd, flagOutput)
}

func runNodeDrain(ctx context.Context, o *NodeDrainOptions) error {
	until := o.Now().Add(o.Flags.timeout(waitTimeout))
	drained, err := o.changeNodes(ctx, o.Nodes, nodeChange{verb: "drain", done: "is to be drained", reason: "DRAIN", set: func(spec map[string]json.RawMessage) (bool, error) {
		return flagged(spec, "drain", true)
	}})
	if err != nil || !o.Wait {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	failures := outcomes{f: o.Factory}
	for _, node := range drained {
		ref := candor.Ref{Kind: candor.KindNodes, Name: node.Metadata.Name}
		waiting := awaiting{remote: remote, ref: ref, reading: Reading{Freshness: candor.FreshnessStrong}, until: until, now: o.Now}
		found, err := waiting.await(ctx, nothingLeft(node.Metadata.Generation))
		if err != nil {
			failures.refuse("node drain "+ref.Name+" --wait", try(err, "candor why node "+ref.Name))
			continue
		}
		if found.object == nil {
			o.Narrate("node/%s is gone", output.Clean(ref.Name))
			continue
		}
		o.Narrate("node/%s is drained", output.Clean(ref.Name))
	}
	return failures.end()
}

// nothingLeft says whether a node was emptied since it was asked for, or is gone.
func nothingLeft(generation uint64) verdict {
	return func(object *candor.Object) (bool, string) {
		if object == nil {
			return true, ""
		}
		var status candor.NodeStatus
		if err := json.Unmarshal(object.Status, &status); err != nil && len(object.Status) > 0 {
			return false, "its status does not read: " + err.Error()
		}
		drained := status.Conditions.Get(candor.ConditionDrained)
		switch {
		case drained == nil:
			return false, "nobody has looked at it yet (candor tenure get controllers)"
		case drained.ObservedGeneration < generation:
			return false, "what is known of it is older than the drain (candor tenure get controllers)"
		case drained.Status == candor.ConditionTrue:
			return true, ""
		}
		seen := fmt.Sprintf("%d instances are left: %s", status.Instances, drained.Reason)
		if drained.Message != "" {
			seen += ": " + drained.Message
		}
		return false, seen
	}
}
