package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TenureListOptions are those of `candor tenure list`.
type TenureListOptions struct {
	*Factory
	On string
}

// NewCmdTenureList returns `candor tenure list`.
func NewCmdTenureList(f *Factory, run func(context.Context, *TenureListOptions) error) *cobra.Command {
	o := &TenureListOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "list", Short: "List the duties and who holds them",
		Long: `List the duties that were ever held, and who holds them, as one server sees it.
EXPIRES-IN is when an era ends unless it is renewed, which its holder does all
the time; another may take a duty that has expired. UNFINISHED are eras whose
handover is not over.`,
		Example:           "candor tenure list\ncandor tenure list -o wide\ncandor tenure list --on n2 -o json",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runTenureList)(cmd.Context(), o) },
	}
	seenFrom(f, cmd, &o.On)
	return remotely(cmd, flagOutput)
}

func runTenureList(ctx context.Context, o *TenureListOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	_, list, err := o.tenures(ctx, o.On)
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, list)
	case format == output.NameFormat:
		for i := 0; i < len(list.Tenures) && err == nil; i++ {
			_, err = fmt.Fprintln(o.Out, output.Clean(list.Tenures[i].Duty))
		}
	default:
		err = o.table(list, format.Wide())
	}
	if err != nil {
		return internal("tenure list", err)
	}
	switch {
	case len(list.Tenures) > 0:
	case list.Witness != nil && list.Witness.ServedToken.IsZero():
		o.Narrate("the server that answered has no view of the root yet")
	default:
		o.Narrate("no duty was ever held; candor server --duties says which a server may hold")
	}
	if list.Witness != nil {
		o.Foot(*list.Witness)
	}
	return nil
}

func (o *TenureListOptions) table(list *client.Tenures, wide bool) error {
	columns := []string{"DUTY", "ERA", "STATE", "HOLDER", "EXPIRES-IN", "UNFINISHED"}
	if wide {
		columns = append(columns, "MANDATE", "LASTS", "GRANTED", "PREDECESSOR", "LINEAGE")
	}
	table := output.NewTable(o.Out, o.OutPalette(), columns...).States()
	for i := range list.Tenures {
		t := &list.Tenures[i]
		e := t.Current
		if e == nil {
			e = &client.Era{}
		}
		cells := []string{t.Duty, revisionText(e.Number), e.State, holderText(e), expiry(e, list.ClusterTime), unfinishedText(t)}
		if wide {
			cells = append(cells, t.Mandate, output.Span(e.Duration), since(list.ClusterTime, e.GrantedAt), revisionText(e.Predecessor), short(e.Lineage))
		}
		table.Row(cells...)
	}
	return table.Flush()
}

// short is the beginning of a digest, enough for people to tell it from another.
func short(digest string) string { return digest[:min(len(digest), 12)] }
