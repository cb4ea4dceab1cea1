package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// KindsOptions are those of `candor api-resources`.
type KindsOptions struct{ *Factory }

// NewCmdKinds returns `candor api-resources`.
func NewCmdKinds(f *Factory, run func(context.Context, *KindsOptions) error) *cobra.Command {
	o := &KindsOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "api-resources", Aliases: []string{"kinds"}, Short: "List the kinds of objects that the cluster has",
		Example:           "candor api-resources\ncandor api-resources -o name",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runKinds)(cmd.Context(), o) },
	}
	return remotely(cmd, flagRead, flagStale, flagOutput)
}

func runKinds(ctx context.Context, o *KindsOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	kinds, err := o.Kinds()
	if err != nil {
		return err
	}
	known, page, err := kinds.All(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(known, func(a, b Kind) int { return strings.Compare(string(a.Name()), string(b.Name())) })
	switch {
	case format.Structured():
		var objects []*candor.Object
		for _, kind := range known {
			objects = append(objects, kind.Object)
		}
		err = format.List(o.Out, output.ListHeader{Revision: page.Revision, Witness: &page.Witness}, inOrder(objects))
	case format == output.NameFormat:
		for _, kind := range known {
			if _, err = fmt.Fprintln(o.Out, kind.Name()); err != nil {
				break
			}
		}
	default:
		err = o.table(known, format.Wide())
	}
	if err != nil {
		return internal("api-resources", err)
	}
	o.Foot(page.Witness)
	return nil
}

func (o *KindsOptions) table(known []Kind, wide bool) error {
	columns := []string{"NAME", "SHORT", "APIVERSION", "NAMESPACED", "KIND"}
	if wide {
		columns = append(columns, "SINGULAR", "FULL NAME", "REVISION")
	}
	table := output.NewTable(o.Out, o.OutPalette(), columns...)
	for _, kind := range known {
		cells := []string{
			kind.Names.Plural, strings.Join(kind.Names.ShortNames, ","), kind.APIVersion(),
			strconv.FormatBool(kind.Namespaced()), kind.Names.Kind,
		}
		if wide {
			cells = append(cells, kind.singular(), string(kind.Name()), revisionText(kind.Object.Metadata.ResourceVersion))
		}
		table.Row(cells...)
	}
	return table.Flush()
}
