package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
)

// WhyNotOptions are those of `candor why-not`.
type WhyNotOptions struct {
	*Factory
	Args []string
	Node string
}

// NewCmdWhyNot returns `candor why-not`.
func NewCmdWhyNot(f *Factory, run func(context.Context, *WhyNotOptions) error) *cobra.Command {
	o := &WhyNotOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "why-not KIND NAME | KIND/NAME --on NODE", Short: "Say why an instance is not on a node, or would not go there",
		Long: `Say why an instance is not on a node, or why the next instance of a workload would
not go there: every reason that speaks against the node, not only the first, and
the smallest change after which it would fit; of a node that fits, its score beside
that of the one that was chosen.`,
		Example:           "candor why-not instance/web-3 --on w1\ncandor why-not workload web --on w1",
		Args:              arguments(1, 2, "one object: KIND NAME or KIND/NAME"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runWhyNot)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Node, "on", "", "the worker's `node`")
	return remotely(cmd, flagNamespace, flagRead, flagStale, flagOutput)
}

func runWhyNot(ctx context.Context, o *WhyNotOptions) error {
	if o.Node == "" {
		return usage("why not where? --on NODE")
	}
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	_, ref, err := o.object(ctx, o.Args)
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	found, err := remote.Explain.WhyNot(ctx, ref, o.Node, reading.options()...)
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return try(err, "candor node list", "candor why "+strings.Join(o.Args, " "))
	}
	if err != nil {
		return err
	}
	return o.tellWhy(ctx, remote, format, found, nil, "why-not")
}
