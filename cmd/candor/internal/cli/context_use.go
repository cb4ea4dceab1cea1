package cli

import (
	"context"

	"github.com/spf13/cobra"
)

// ContextUseOptions are those of `candor context use`.
type ContextUseOptions struct {
	*Factory
	Name string
}

// NewCmdContextUse returns `candor context use`.
func NewCmdContextUse(f *Factory, run func(context.Context, *ContextUseOptions) error) *cobra.Command {
	o := &ContextUseOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "use NAME", Short: "Make a context the current one",
		Example:           "candor context use dev",
		Args:              arguments(1, 1, "one name"),
		ValidArgsFunction: f.completeOnce(f.contextNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return runs(run, runContextUse)(cmd.Context(), o)
		},
	}
	return honours(cmd)
}

func runContextUse(_ context.Context, o *ContextUseOptions) error {
	file, path, err := o.contexts()
	if err != nil {
		return err
	}
	found, err := file.Find(o.Name)
	if err != nil {
		return try(err, "candor context list", "candor context set "+o.Name+" --server HOST:PORT")
	}
	file.Current = found.Name
	if err := file.Save(path); err != nil {
		return err
	}
	o.Narrate("context %s is the current one in %s", found.Name, path)
	return nil
}
