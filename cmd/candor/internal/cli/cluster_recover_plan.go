package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server"
)

// ClusterRecoverPlanOptions are those of `candor cluster recover plan`.
type ClusterRecoverPlanOptions struct {
	*Factory
	Recovery server.Recovery
	Plan     string
}

// NewCmdClusterRecoverPlan returns `candor cluster recover plan`.
func NewCmdClusterRecoverPlan(f *Factory, run func(context.Context, *ClusterRecoverPlanOptions) error) *cobra.Command {
	o := &ClusterRecoverPlanOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "plan --data DIR", Short: "Say what going on with the servers that are left would keep and lose",
		Long: `Read the data directories of stopped servers, change nothing in them, and say
which of them holds the most, what going on with that one alone would keep, and
what it may lose. The plan is written to a file, with digests of what was read;
"candor cluster recover apply" carries it out.

This is for a majority that is lost for good. A server that only does not run is
not lost: start it. Name every directory that is left: with more of them, more is
known, and the log that goes furthest is chosen. A directory that a server runs on
is refused, and so is a plan where a majority is there.`,
		Example: `candor cluster recover plan --data /var/lib/candor/n1 --plan recovery.json
candor cluster recover plan --data ./n1 --data ./n4 --plan recovery.json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.Recovery.Data) == 0 {
				return usage("--data is required: the data directory of a server that is left, once for each")
			}
			return runs(run, runClusterRecoverPlan)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Recovery.Data, "data", nil, "data `directory` of a stopped server that is left; repeat it for each")
	flags.StringVar(&o.Recovery.Raft, "raft", "", "`address` at which the server that goes on will use Raft (default: as before)")
	flags.StringVar(&o.Plan, "plan", "", "`file` to write the plan to; without it the plan is only shown")
	return honours(cmd, flagOutput)
}

func runClusterRecoverPlan(_ context.Context, o *ClusterRecoverPlanOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	o.Recovery.Logger = o.offlineLogger()
	plan, err := server.PlanRecovery(o.Recovery)
	if err != nil {
		return recoveryRefused(err)
	}
	if o.Plan != "" {
		if err := plan.Write(o.Plan); err != nil {
			return err
		}
	}
	if format.Structured() {
		return internal("cluster recover plan", format.Document(o.Out, plan))
	}
	if err := o.showRecovery(plan); err != nil {
		return err
	}
	if o.Plan == "" {
		o.Narrate("\nnothing was written: give --plan FILE to write the plan that apply needs")
		return nil
	}
	o.narrateSteps(recoverySteps(plan, o.Plan, false))
	return nil
}

// recoveryRefused adds what to do about a refusal.
func recoveryRefused(err error) error {
	switch candor.ReasonOf(err) {
	case candor.ReasonDataLocked:
		return try(err, "stop the server that runs on it; if it runs well, do not recover: candor status")
	case candor.ReasonConflict:
		return try(err, "candor server …   start the servers whose directories these are, as they were started before")
	case candor.ReasonDataCorrupt:
		return try(err, "name the other directories that are left, without this one", "candor snapshot restore FILE   from the newest snapshot that was saved")
	default:
		return err
	}
}
