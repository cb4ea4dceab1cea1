package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// PlanOptions are those of `candor plan`.
type PlanOptions struct {
	*Factory
	ManifestOptions
	ExitCode bool
}

// NewCmdPlan returns `candor plan`.
func NewCmdPlan(f *Factory, run func(context.Context, *PlanOptions) error) *cobra.Command {
	o := &PlanOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "plan -f FILE", Short: "Show what would come of manifests: objects, places, moves and evictions",
		Long: `Show what would come of manifests if they were applied now: which objects would be
made or changed, on which node each instance would be placed and why some would not,
which would move, and which would be evicted for others. The same function decides
here as does in earnest, on one state of the root; nothing is changed.

The plan holds for that state. "candor apply --if-revision" holds one object to the
version that it had.

Exit code 0: the plan was made, whatever is in it. With --exit-code, 10: something
would change.`,
		Example:           "candor plan -f web.yaml\ncandor plan -f examples/ -R -o json\ncandor plan -f web.yaml --exit-code",
		Args:              arguments(0, 0, "no arguments; -f names the manifests"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runPlan)(cmd.Context(), o) },
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&o.ExitCode, "exit-code", false, "end with 10 where something would change")
	return remotely(cmd, flagNamespace, flagOutput)
}

type planDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	*candor.Plan
	Witness candor.Witness `json:"witness"`
}

func runPlan(ctx context.Context, o *PlanOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	items, err := o.plan(ctx, o.ManifestOptions)
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	objects, err := o.merged(ctx, remote, items)
	if err != nil {
		return err
	}
	found, err := remote.Explain.Plan(ctx, objects)
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, planDocument{APIVersion: candor.APIVersion, Kind: "Plan", Plan: found.Plan, Witness: found.Witness})
	case format == output.NameFormat:
		for _, c := range append(append([]candor.PlannedChange(nil), found.Plan.Creates...), found.Plan.Updates...) {
			if _, err = fmt.Fprintln(o.Out, output.Clean(c.Object.String())); err != nil {
				break
			}
		}
	default:
		err = (&Teller{Out: o.Out, Palette: o.OutPalette()}).Plan(found.Plan)
	}
	if err != nil {
		return internal("plan", err)
	}
	o.Foot(found.Witness)
	if o.ExitCode && !found.Plan.Empty() {
		return &ended{exit: candor.ExitDifferent}
	}
	return nil
}

// merged are the objects as apply would send them.
func (o *PlanOptions) merged(ctx context.Context, remote *Remote, items []planned) ([]*candor.Object, error) {
	a := applier{Factory: o.Factory, remote: remote, dryRun: dryRunClient, coming: map[candor.Ref]bool{}}
	var objects []*candor.Object
	for _, item := range items {
		change, err := a.apply(ctx, item)
		if err != nil {
			return nil, err
		}
		asked := *change.object
		asked.Status, asked.Observed = nil, nil
		asked.Metadata.Namespace = item.ref.Namespace
		objects = append(objects, &asked)
	}
	return objects, nil
}
