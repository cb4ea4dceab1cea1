package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ContextListOptions are those of `candor context list`.
type ContextListOptions struct{ *Factory }

// NewCmdContextList returns `candor context list`.
func NewCmdContextList(f *Factory, run func(context.Context, *ContextListOptions) error) *cobra.Command {
	o := &ContextListOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the contexts of the context file",
		Example: "candor context list",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runs(run, runContextList)(cmd.Context(), o) },
	}
	return honours(cmd, flagOutput)
}

func runContextList(_ context.Context, o *ContextListOptions) error {
	file, path, err := o.contexts()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		return internal("context list", format.Document(o.Out, file))
	case format == output.NameFormat:
		for _, c := range file.Contexts {
			if _, err := fmt.Fprintln(o.Out, output.Clean(c.Name)); err != nil {
				return internal("context list", err)
			}
		}
		return nil
	}
	if len(file.Contexts) == 0 {
		o.Narrate("no contexts in %s", path)
		return nil
	}
	table := output.NewTable(o.Out, o.OutPalette(), "CURRENT", "NAME", "NAMESPACE", "SERVERS")
	for _, c := range file.Contexts {
		mark := " "
		if c.Name == file.Current {
			mark = "*"
		}
		table.Row(mark, c.Name, c.Namespace, strings.Join(c.Servers, ","))
	}
	return internal("context list", table.Flush())
}
