package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
)

// The groups of commands in help.
const (
	groupObjects = "objects"
	groupReasons = "reasons"
	groupCluster = "cluster"
	groupLocal   = "local"
)

// NewCmdRoot returns the whole command line.
func NewCmdRoot(f *Factory) *cobra.Command {
	root := &cobra.Command{
		Use:   "candor",
		Short: "A clustered control plane that tells the truth about itself",
		Long: `A clustered control plane that tells the truth about itself: versioned
objects, replicated by consensus, and answers that say what they are worth.`,
		Example: `candor dev                      start a cluster on this machine
candor apply -f examples/       create and change objects
candor get namespaces           list objects
candor status                   how is the cluster?`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,

		SuggestionsMinimumDistance: mostTypos,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.Flags.refuseUnhonoured(cmd); err != nil {
				return err
			}
			f.reads = isHonoured(cmd, flagRead)
			return f.beginTrace(cmd)
		},
		RunE: group,
	}
	f.Flags.register(root.PersistentFlags())
	root.SetIn(f.In)
	root.SetOut(f.Out)
	root.SetErr(f.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%s", err) })
	root.SetHelpFunc(help)
	root.SetHelpCommandGroupID(groupLocal)
	root.SetCompletionCommandGroupID(groupLocal)
	root.AddGroup(
		&cobra.Group{ID: groupObjects, Title: "Objects"},
		&cobra.Group{ID: groupReasons, Title: "Understanding"},
		&cobra.Group{ID: groupCluster, Title: "Cluster"},
		&cobra.Group{ID: groupLocal, Title: "This machine"},
	)
	add(root, groupObjects,
		NewCmdGet(f, nil), NewCmdDescribe(f, nil), NewCmdApply(f, nil), NewCmdDiff(f, nil), NewCmdEdit(f, nil),
		NewCmdLabel(f, nil), NewCmdDelete(f, nil), NewCmdWatch(f, nil), NewCmdWait(f, nil), NewCmdHistory(f, nil),
		NewCmdRollback(f, nil), NewCmdOutcome(f, nil), NewCmdKinds(f, nil), NewCmdExplain(f, nil))
	add(root, groupReasons, NewCmdWhy(f, nil), NewCmdWhyNot(f, nil), NewCmdPlan(f, nil), NewCmdDecision(f), NewCmdVerify(f))
	add(root, groupCluster,
		NewCmdStatus(f, nil), NewCmdDiagnostics(f, nil), NewCmdFreshness(f, nil), NewCmdWatchCatchUp(f, nil),
		NewCmdNode(f), NewCmdCluster(f), NewCmdAuth(f), NewCmdAudit(f), NewCmdGossip(f), NewCmdTenure(f), NewCmdTransition(f), NewCmdAlloc(f), NewCmdSnapshot(f), NewCmdLog(f), NewCmdReplay(f, nil), NewCmdDebug(f))
	add(root, groupLocal, NewCmdServer(f, nil), NewCmdWorker(f, nil), NewCmdDev(f, nil), NewCmdDrill(f), NewCmdTLS(f), NewCmdContext(f), NewCmdVersion(f, nil))
	root.AddCommand(topics()...)
	root.AddCommand(NewCmdWorkerShim(), NewCmdDrillChild())
	f.completeFlags(root)
	return root
}

func add(parent *cobra.Command, group string, commands ...*cobra.Command) {
	for _, command := range commands {
		command.GroupID = group
		parent.AddCommand(command)
	}
}

// group is what a command runs that only holds others: its help, or the
// refusal of a command that it does not have.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := usage("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		steps := []string{cmd.CommandPath() + " --help"}
		for _, name := range slices.Backward(near) {
			steps = slices.Insert(steps, 0, cmd.CommandPath()+" "+name)
		}
		return try(err, steps...)
	}
	return err
}

// mostTypos is how far a command may be from what was typed to be suggested.
const mostTypos = 2

// newGroup is a command that only holds others.
func newGroup(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, RunE: group, SuggestionsMinimumDistance: mostTypos}
	cmd.AddCommand(commands...)
	return cmd
}

// runs picks what a command does: the given function, or its own.
func runs[O any](given, own func(context.Context, O) error) func(context.Context, O) error {
	if given != nil {
		return given
	}
	return own
}

// arguments checks how many there are. most < 0 sets no end.
func arguments(least, most int, want string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usage("want %s; %s", want, givenText(args))
		}
		return nil
	}
}

func givenText(args []string) string {
	if len(args) == 0 {
		return "nothing was given"
	}
	return "given: " + strings.Join(shown(args), " ")
}

// internal wraps an error that has no reason, which is a fault of the program
// or of the machine.
func internal(op string, err error) error { return candor.Wrap(op, err) }
