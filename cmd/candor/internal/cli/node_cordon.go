package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NodeCordonOptions are those of `candor node cordon` and `candor node uncordon`.
type NodeCordonOptions struct {
	*Factory
	Nodes []string
	// Back undoes it.
	Back bool
}

// NewCmdNodeCordon returns `candor node cordon`.
func NewCmdNodeCordon(f *Factory, run func(context.Context, *NodeCordonOptions) error) *cobra.Command {
	return newCordon(f, run, false, &cobra.Command{
		Use: "cordon NODE...", Short: "Have workers take no new instances",
		Long: `Have the workers of nodes take no new instances. What is there stays and goes on;
"candor node drain" has it go elsewhere. "candor node uncordon" ends it.`,
		Example: "candor node cordon w1\ncandor node cordon w1 w2",
	})
}

// NewCmdNodeUncordon returns `candor node uncordon`.
func NewCmdNodeUncordon(f *Factory, run func(context.Context, *NodeCordonOptions) error) *cobra.Command {
	return newCordon(f, run, true, &cobra.Command{
		Use: "uncordon NODE...", Short: "Have workers take instances again",
		Long:    `Have the workers of nodes take instances again: it ends cordon and drain.`,
		Example: "candor node uncordon w1",
	})
}

func newCordon(f *Factory, run func(context.Context, *NodeCordonOptions) error, back bool, cmd *cobra.Command) *cobra.Command {
	o := &NodeCordonOptions{Factory: f, Back: back}
	cmd.Args, cmd.ValidArgsFunction = arguments(1, -1, "one or more workers' nodes"), f.completeNodes
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Nodes = args
		return runs(run, runNodeCordon)(cmd.Context(), o)
	}
	return remotely(cmd, flagOutput)
}

func runNodeCordon(ctx context.Context, o *NodeCordonOptions) error {
	change := nodeChange{verb: "cordon", done: "cordoned", reason: "CORDONED", set: func(spec map[string]json.RawMessage) (bool, error) {
		return flagged(spec, "unschedulable", true)
	}}
	if o.Back {
		change = nodeChange{verb: "uncordon", done: "uncordoned", reason: "UNCORDONED", set: func(spec map[string]json.RawMessage) (bool, error) {
			open, err := flagged(spec, "unschedulable", false)
			if err != nil {
				return false, err
			}
			drained, err := flagged(spec, "drain", false)
			return open || drained, err
		}}
	}
	_, err := o.changeNodes(ctx, o.Nodes, change)
	return err
}

// nodeChange is what is done to each of several nodes.
type nodeChange struct {
	verb, done, reason string
	set                func(spec map[string]json.RawMessage) (bool, error)
}

// changeNodes changes nodes one by one and tells each; it returns those that are now as
// asked for.
func (f *Factory) changeNodes(ctx context.Context, nodes []string, change nodeChange) ([]*candor.Object, error) {
	format, err := f.Flags.format()
	if err != nil {
		return nil, err
	}
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	failures := outcomes{f: f}
	var done []*candor.Object
	var last client.Result
	for i, node := range nodes {
		r := revising{
			Factory: f, remote: remote, ref: candor.Ref{Kind: candor.KindNodes, Name: node}, options: []client.WriteOption{client.WithReason(change.reason, "")},
			change: func(_ *candor.Object, spec map[string]json.RawMessage) (bool, error) { return change.set(spec) },
		}
		came, err := r.run(ctx)
		if err != nil {
			failures.refuse("node "+change.verb+" "+node, noNode(err, node))
			if hopeless(err) {
				failures.left(len(nodes) - i - 1)
				break
			}
			continue
		}
		if came.changed && came.result.Token.Index >= last.Token.Index {
			last = came.result
		}
		done = append(done, came.object)
		if err := f.tellNode(format, node, change.done, came.changed); err != nil {
			return nil, internal("node "+change.verb, err)
		}
	}
	if err := documents(format, f.Out, done, len(nodes) > 1); err != nil {
		return nil, internal("node "+change.verb, err)
	}
	if !last.Token.IsZero() {
		f.Narrate("%s", f.ErrPalette().States(output.Accepted(last.Token, last.Witness)))
	}
	return done, failures.end()
}

func (f *Factory) tellNode(format output.Format, node, done string, changed bool) error {
	if format.Structured() {
		return nil
	}
	text := "node/" + node
	if format != output.NameFormat {
		text += " " + done
		if !changed {
			text += " already"
		}
	}
	_, err := fmt.Fprintln(f.Out, output.Clean(text))
	return err
}

// noNode says where nodes are, and that a server is another thing.
func noNode(err error, node string) error {
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return try(err, "candor node list", "candor cluster members   if "+node+" is a server")
	}
	return err
}

// completeNodes completes the names of workers' nodes.
func (f *Factory) completeNodes(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return f.offer(cmd.Context(), typed, func(ctx context.Context) ([]string, error) {
		remote, err := f.Remote()
		if err != nil {
			return nil, err
		}
		page, err := remote.Reader.List(ctx, candor.KindNodes, client.ListOptions{Limit: mostCompletions}, client.WithFreshness(candor.FreshnessBestEffort))
		if err != nil {
			return nil, err
		}
		var names []string
		for _, o := range page.Objects {
			names = append(names, o.Metadata.Name)
		}
		return names, nil
	})
}
