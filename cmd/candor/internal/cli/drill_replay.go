package cli

import (
	"context"

	"github.com/spf13/cobra"
)

// NewCmdDrillReplay returns `candor drill replay`.
func NewCmdDrillReplay(f *Factory, run func(context.Context, *DrillRunOptions) error) *cobra.Command {
	o := &DrillRunOptions{Factory: f}
	var dir string
	cmd := &cobra.Command{
		Use: "replay DIR", Short: "Run the drill of an account again, with its seed",
		Long: `Run the drill of an account again: the scenario as it was, and the seed. The faults
befall the same servers at the same times; how processes are scheduled is the machine's
doing. To see a recorded history judged again, use "candor verify history", and to follow
one server's log, "candor replay".`,
		Example: "candor drill replay drill-leader-kill",
		Args:    arguments(1, 1, "the folder of an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir = args[0]
			return runs(run, func(ctx context.Context, o *DrillRunOptions) error {
				account, err := accountIn(dir)
				if err != nil {
					return err
				}
				o.Seed = account.Seed
				return o.drill(ctx, &account.Scenario)
			})(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Account, "out", "", "write the account to this `folder` (default drill-NAME)")
	flags.StringVar(&o.Binary, "binary", "", "the servers' `program` (default this one)")
	flags.StringVar(&o.Previous, "previous", "", "the previous release's `program`, for scenarios that upgrade")
	flags.StringVar(&o.Links, "links", "", "what the links between servers are: `namespaces|proxies` (default the best that this machine has)")
	return honours(cmd, flagOutput)
}
