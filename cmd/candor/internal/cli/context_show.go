package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ContextShowOptions are those of `candor context show`.
type ContextShowOptions struct {
	*Factory
	Name string
}

// NewCmdContextShow returns `candor context show`.
func NewCmdContextShow(f *Factory, run func(context.Context, *ContextShowOptions) error) *cobra.Command {
	o := &ContextShowOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "show [NAME]", Short: "Show a context, or the current one",
		Example:           "candor context show\ncandor context show dev -o jsonpath='{.servers[0]}'",
		Args:              arguments(0, 1, "at most one name"),
		ValidArgsFunction: f.completeOnce(f.contextNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Name = args[0]
			}
			return runs(run, runContextShow)(cmd.Context(), o)
		},
	}
	return honours(cmd, flagOutput, flagContext)
}

func runContextShow(_ context.Context, o *ContextShowOptions) error {
	file, path, err := o.contexts()
	if err != nil {
		return err
	}
	name := o.Name
	if name == "" {
		name = o.Flags.Context
	}
	found, err := file.Find(name)
	if err != nil {
		return try(err, "candor context list", "candor context set NAME --server HOST:PORT")
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	if format.Structured() {
		return internal("context show", format.Document(o.Out, found))
	}
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Name", found.Name)
	facts.Add("Servers", strings.Join(found.Servers, ", "))
	facts.Add("Namespace", found.Namespace)
	facts.Add("Token file", found.TokenFile)
	facts.Add("File", path)
	return internal("context show", facts.Flush())
}
