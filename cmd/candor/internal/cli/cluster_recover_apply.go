package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server"
)

// ClusterRecoverApplyOptions are those of `candor cluster recover apply`.
type ClusterRecoverApplyOptions struct {
	*Factory
	Plan   string
	Accept string
}

// NewCmdClusterRecoverApply returns `candor cluster recover apply`.
func NewCmdClusterRecoverApply(f *Factory, run func(context.Context, *ClusterRecoverApplyOptions) error) *cobra.Command {
	o := &ClusterRecoverApplyOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "apply --plan FILE --accept-loss CLUSTER-ID", Short: "Carry out a plan: one server goes on alone, in a new history",
		Long: `Carry out a plan of "candor cluster recover plan". The data directory must be as the
plan found it. The server keeps its ID, name and certificates, and its cluster keeps
its ID; the history is a new one: what the lost servers acknowledged and this one does
not hold is given up for good, and their directories can never come back.

--accept-loss says that you accept that, by the ID of the cluster, which the plan
shows. What is replaced is kept in a folder of the directory, with a file that says how
to go back. A crash leaves the directory as it was or recovered; give the same command
again.`,
		Example: "candor cluster recover apply --plan recovery.json --accept-loss 8f1c0a52-…",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Plan == "" {
				return usage("--plan is required: the file that candor cluster recover plan wrote")
			}
			return runs(run, runClusterRecoverApply)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Plan, "plan", "", "`file` with the plan")
	flags.StringVar(&o.Accept, "accept-loss", "", "ID of the `cluster` whose history you give up")
	return honours(cmd, flagOutput)
}

func runClusterRecoverApply(_ context.Context, o *ClusterRecoverApplyOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	plan, err := server.ReadRecoveryPlan(o.Plan)
	if err != nil {
		return try(err, "candor cluster recover plan --data DIR --plan FILE")
	}
	if o.Accept != plan.ClusterID {
		return o.unaccepted(plan)
	}
	done, err := server.Recover(plan, o.offlineLogger())
	if err != nil {
		if candor.ReasonOf(err) == candor.ReasonConflict {
			return try(err, "candor cluster recover plan --data "+plan.Chosen().Data+" --plan FILE")
		}
		return recoveryRefused(err)
	}
	if format.Structured() {
		return internal("cluster recover apply", format.Document(o.Out, done))
	}
	chosen := plan.Chosen()
	said := fmt.Sprintf("%s begins history %s alone, at %s\ndiscarded  everything that the lost servers acknowledged after entry %d\n", chosen.Name, plan.NewHistoryID, done.State.Token, chosen.LastIndex)
	if done.Already {
		said = fmt.Sprintf("%s was recovered before: it is of history %s\n", chosen.Name, plan.NewHistoryID)
	} else if plan.Complete {
		said = fmt.Sprintf("%s begins history %s alone, at %s\ndiscarded  nothing that was acknowledged\n", chosen.Name, plan.NewHistoryID, done.State.Token)
	}
	for i := range plan.Survivors {
		if s := &plan.Survivors[i]; s.Discarded != nil && !done.Already {
			said += fmt.Sprintf("discarded  %s of %s\n", s.Discarded, s.Name)
		}
	}
	if plan.Adopted != nil && !done.Already {
		said += fmt.Sprintf("adopted    %s\n", plan.Adopted)
	}
	if _, err := fmt.Fprintf(o.Out, "%skept       %s: UNDO.txt says how to go back\n", said, done.Kept); err != nil {
		return internal("cluster recover apply", err)
	}
	o.narrateSteps(recoverySteps(plan, o.Plan, true))
	return nil
}

// unaccepted shows once more what is given up, and asks for the word.
func (o *ClusterRecoverApplyOptions) unaccepted(plan *server.RecoveryPlan) error {
	if err := o.showRecovery(plan); err != nil {
		return err
	}
	missing := "nothing was done: --accept-loss is missing"
	if o.Accept != "" {
		missing = fmt.Sprintf("nothing was done: --accept-loss names %q, and the plan is for cluster %s", o.Accept, plan.ClusterID)
	}
	return try(usage("%s", missing), fmt.Sprintf("candor cluster recover apply --plan %s --accept-loss %s   accepts what is said above", o.Plan, plan.ClusterID))
}
