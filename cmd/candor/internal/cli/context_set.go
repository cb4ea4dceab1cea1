package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/contextfile"
)

// ContextSetOptions are those of `candor context set`.
type ContextSetOptions struct {
	*Factory
	Name string
	Use  bool
}

// NewCmdContextSet returns `candor context set`.
func NewCmdContextSet(f *Factory, run func(context.Context, *ContextSetOptions) error) *cobra.Command {
	o := &ContextSetOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Add a context, or change one",
		Long: `Add a context, or change one. --server, --namespace and --token-file say what to
keep; what is not given stays as it is. The first context becomes the current
one. Of a token only its file is remembered.`,
		Example: `candor context set prod --server 10.0.0.1:7101,10.0.0.2:7101 --use
candor context set prod --namespace shop
candor context set prod --token-file ~/.config/candor/prod.token`,
		Args:              arguments(1, 1, "one name"),
		ValidArgsFunction: f.completeOnce(f.contextNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return runs(run, runContextSet)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Use, "use", false, "make it the current one")
	return honours(cmd, flagServer, flagNamespace, flagToken)
}

func runContextSet(_ context.Context, o *ContextSetOptions) error {
	file, path, err := o.contexts()
	if err != nil {
		return err
	}
	wanted, err := file.Find(o.Name)
	switch {
	case candor.ReasonOf(err) == candor.ReasonNotFound && len(o.Flags.Servers) == 0:
		return usage("context %q is new: --server HOST:PORT says where it is", o.Name)
	case err != nil:
		wanted = contextfile.Context{Name: o.Name}
	}
	if len(o.Flags.Servers) > 0 {
		wanted.Servers = o.Flags.Servers
	}
	if o.Flags.Namespace != "" {
		wanted.Namespace = o.Flags.Namespace
	}
	if o.Flags.TokenFile != "" {
		if _, err := o.readToken(o.Flags.TokenFile); err != nil {
			return err
		}
		// The file is found from every folder.
		if wanted.TokenFile, err = filepath.Abs(o.Flags.TokenFile); err != nil {
			return candor.Wrap("context set", err)
		}
	}
	file.Set(wanted)
	if o.Use || file.Current == "" {
		file.Current = wanted.Name
	}
	if err := file.Save(path); err != nil {
		return err
	}
	o.Narrate("context %s is in %s", wanted.Name, path)
	return nil
}
