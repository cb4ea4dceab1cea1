package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/schema"
)

// ExplainOptions are those of `candor explain`.
type ExplainOptions struct {
	*Factory
	Path      string
	Recursive bool
}

// NewCmdExplain returns `candor explain`.
func NewCmdExplain(f *Factory, run func(context.Context, *ExplainOptions) error) *cobra.Command {
	o := &ExplainOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "explain KIND[.FIELD...]", Short: "Explain a kind, or a field of it, from its schema",
		Example:           "candor explain widget\ncandor explain widget.spec.ports\ncandor explain widget.spec -R",
		Args:              arguments(1, 1, "one KIND or KIND.FIELD"),
		ValidArgsFunction: f.completeKind,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path = args[0]
			return runs(run, runExplain)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVarP(&o.Recursive, "recursive", "R", false, "list the fields inside fields too")
	return remotely(cmd, flagRead, flagStale)
}

func runExplain(ctx context.Context, o *ExplainOptions) error {
	kinds, err := o.Kinds()
	if err != nil {
		return err
	}
	kind, path, err := kinds.split(ctx, o.Path)
	if err != nil {
		return err
	}
	document, err := schema.Of(kind.KindSpec)
	if err != nil {
		return err
	}
	field, err := document.Find(path)
	if err != nil {
		parent := kind.singular()
		if len(path) > 1 {
			parent += "." + strings.Join(path[:len(path)-1], ".")
		}
		return try(err, "candor explain "+parent)
	}
	width := o.Width
	if width == 0 || width > 100 {
		width = 100
	}
	text := field.Explain(schema.Layout{
		Kind: kind.Names.Kind, APIVersion: kind.APIVersion(), Width: width, Recursive: o.Recursive, Heading: o.OutPalette().Heading,
	})
	_, err = io.WriteString(o.Out, text)
	return internal("explain", err)
}

// split takes the kind off the front of "KIND.FIELD...". A kind in full,
// PLURAL.GROUP, has dots of its own: the longest name that is one wins.
func (k *Kinds) split(ctx context.Context, text string) (kind Kind, path []string, err error) {
	parts := strings.Split(text, ".")
	kind, err = k.find(ctx, func(known []Kind) (Kind, error) {
		for n := len(parts); n > 0; n-- {
			found, err := named(known, strings.Join(parts[:n], "."))
			if candor.ReasonOf(err) != candor.ReasonUnknownKind {
				path = parts[n:]
				return found, err
			}
		}
		return Kind{}, unknownKind(known, parts[0])
	})
	return kind, path, err
}
