package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/authority"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TLSRotateOptions are those of `candor tls rotate begin|switch|finish`.
type TLSRotateOptions struct {
	*Factory
	Step  string
	Dir   string
	Valid time.Duration
}

const rotateLong = `Replace the authority of a cluster while it runs, in three steps:

  begin   makes a new authority that everybody trusts beside the old one
  switch  has the new one issue, and issues every certificate anew
  finish  ends the trust in the old one

Each step writes the files of the parties in the folder (those that "candor tls
issue" made there) and says which of them to copy to other machines. Copy them
all, then take the next step. A step may be repeated at any time, and is refused
where it would have parties refuse one another, as far as the folder shows.
Certificates that were issued with --out elsewhere are not known here: issue
each anew with --overwrite after begin and again after switch.

"candor tls show FOLDER" says how far a rotation is.`

// NewCmdTLSRotate returns `candor tls rotate` and its steps.
func NewCmdTLSRotate(f *Factory) *cobra.Command {
	cmd := newGroup("rotate", "Replace the authority while the cluster runs",
		NewCmdTLSRotateStep(f, "begin", "Make a new authority, trusted beside the old one", nil),
		NewCmdTLSRotateStep(f, "switch", "Have the new authority issue, and every certificate issued anew", nil),
		NewCmdTLSRotateStep(f, "finish", "End the trust in the old authority", nil))
	cmd.Long = rotateLong
	cmd.Example = "candor tls rotate begin\ncandor tls rotate switch\ncandor tls rotate finish"
	return cmd
}

// NewCmdTLSRotateStep returns one step of `candor tls rotate`.
func NewCmdTLSRotateStep(f *Factory, step, short string, run func(context.Context, *TLSRotateOptions) error) *cobra.Command {
	o := &TLSRotateOptions{Factory: f, Step: step}
	cmd := &cobra.Command{
		Use: step, Short: short, Long: short + ".\n\n" + rotateLong,
		Example: "candor tls rotate " + step + "\ncandor tls rotate " + step + " --dir /secure/candor",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runs(run, runTLSRotate)(cmd.Context(), o) },
	}
	registerTLSDir(cmd.Flags(), &o.Dir)
	if step == "begin" {
		cmd.Flags().DurationVar(&o.Valid, "valid", authorityValid, "how long the new authority is valid")
	}
	completeFolders(cmd, "dir")
	return cmd
}

func runTLSRotate(_ context.Context, o *TLSRotateOptions) error {
	if o.Step == "begin" && o.Valid <= 0 {
		return usage("--valid %s: want a positive duration, for example %s", o.Valid, authorityValid)
	}
	folder, err := o.openAuthority(o.Dir)
	if err != nil {
		return err
	}
	before := folder.State()
	parties, err := o.step(folder)
	if err != nil {
		return o.refused(folder.State(), err)
	}
	table := output.NewTable(o.Out, o.OutPalette(), "IDENTITY", "UNTIL", "FOLDER")
	for _, p := range parties {
		table.Row(p.Identity.Actor(), moment(p.Certificate.NotAfter), p.Dir())
	}
	if err := table.Flush(); err != nil {
		return internal("tls rotate", err)
	}
	o.next(before, folder)
	return nil
}

func (o *TLSRotateOptions) step(folder *authority.Folder) ([]authority.Party, error) {
	switch o.Step {
	case "begin":
		return folder.Begin(o.Valid)
	case "switch":
		return folder.Switch()
	default:
		return folder.Finish()
	}
}

func (o *TLSRotateOptions) command(step string) string {
	return "candor tls rotate " + step + " --dir " + shown([]string{o.Dir})[0]
}

// refused says which step is the right one.
func (o *TLSRotateOptions) refused(state authority.State, err error) error {
	look := "candor tls show " + shown([]string{o.Dir})[0]
	switch {
	case candor.ReasonOf(err) == candor.ReasonUnavailable:
		return try(err, "the same command again then: nothing was done", look)
	case candor.ReasonOf(err) != candor.ReasonConflict:
		return err
	case state == authority.Steady:
		return try(err, o.command("begin"), look)
	case state == authority.Begun:
		return try(err, o.command("switch"), look)
	case o.Step == "finish":
		return try(err, o.command("switch")+"      issues what is left anew", look)
	default:
		return try(err, o.command("finish"), look)
	}
}

func (o *TLSRotateOptions) next(before authority.State, folder *authority.Folder) {
	copied := "copy ca.crt of these folders to whoever uses them elsewhere"
	switch folder.State() {
	case authority.Begun:
		o.Narrate("step 1 of 3 is done: both authorities are trusted, the old one still issues")
		o.Narrate("next: %s; %s after the last copy: %s", copied, authority.Settle, o.command("switch"))
	case authority.Switched:
		o.Narrate("step 2 of 3 is done: every certificate here is by the new authority")
		o.Narrate("next: %s; %s after the last copy: %s", strings.Replace(copied, "ca.crt of", "everything in", 1), authority.Settle, o.command("finish"))
	case authority.Steady:
		if before == authority.Steady {
			o.Narrate("no rotation is under way: one authority is trusted")
			return
		}
		o.Narrate("step 3 of 3 is done: the new authority alone is trusted")
		o.Narrate("next: %s; the rotation is over then", copied)
	}
}
