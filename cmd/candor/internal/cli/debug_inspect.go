package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/bundle"
)

// DebugInspectOptions are those of `candor debug inspect`.
type DebugInspectOptions struct {
	*Factory
	File string
}

// NewCmdDebugInspect returns `candor debug inspect`.
func NewCmdDebugInspect(f *Factory, run func(context.Context, *DebugInspectOptions) error) *cobra.Command {
	o := &DebugInspectOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "inspect FILE", Short: "Say what is in a debug bundle, and what is not",
		Long: `Say what is in a debug bundle, and what is not. Every part is compared with the
checksum in the manifest. The parts are plain files in a zip archive.`,
		Example: "candor debug inspect incident.zip\ncandor debug inspect incident.zip -o json",
		Args:    arguments(1, 1, "one bundle"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.File = args[0]
			return runs(run, runDebugInspect)(cmd.Context(), o)
		},
	}
	return honours(cmd, flagOutput)
}

func runDebugInspect(_ context.Context, o *DebugInspectOptions) (err error) {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	b, err := bundle.Open(o.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := b.Verify(); err != nil {
		return err
	}
	if format.Structured() {
		return internal("debug inspect", format.Document(o.Out, b.Manifest()))
	}
	return internal("debug inspect", o.show(b))
}

func (o *DebugInspectOptions) show(b *bundle.Reader) error {
	m := b.Manifest()
	fmt.Fprintf(o.Out, "%s: %s, made %s by candor %s; every part is as it was written\n\n",
		o.File, clusterText(m.ClusterID), m.Made.Format(time.RFC3339), output.Clean(m.Build))
	if m.WithData {
		fmt.Fprintf(o.Out, "It was made with data: logs and snapshots hold every object, and the hashes of tokens.\n\n")
	}
	table := output.NewTable(o.Out, o.OutPalette(), "SERVER", "ROLE", "TERM", "APPLIED", "CATCH-UP", "MODE", "LOG", "CLOCK", "ADDRESS").States()
	logs, err := b.Logs()
	if err != nil {
		return err
	}
	for _, n := range m.Nodes {
		d := nodeDocument{Name: n.Name, Address: n.Address}
		if path := bundle.Folder(n.Name) + "diagnostics.json"; b.Has(path) {
			d.Report = new(client.NodeReport)
			if err := b.JSON(path, d.Report); err != nil {
				return err
			}
		}
		table.Row(bundledCells(&n, d, logs)...)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var text strings.Builder
	section := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		text.WriteString("\n" + title + "\n")
		for _, line := range lines {
			text.WriteString("  " + output.Clean(line) + "\n")
		}
	}
	var gaps, parts []string
	for _, g := range m.Gaps {
		gaps = append(gaps, gapText(g))
	}
	for _, p := range m.Parts {
		line := fmt.Sprintf("%-40s %10s  %s", p.Path, output.Bytes(uint64(p.Bytes)), p.What)
		if p.Incomplete != "" {
			line += "; INCOMPLETE: " + p.Incomplete
		}
		parts = append(parts, line)
	}
	section("What could not be had:", gaps)
	section("Left out:", m.LeftOut)
	section("Parts:", parts)
	_, err = fmt.Fprint(o.Out, text.String())
	return err
}

func clusterText(id string) string {
	if id == "" {
		return "a cluster whose ID nobody told"
	}
	return "cluster " + output.Clean(id)
}

func bundledCells(n *bundle.Node, d nodeDocument, logs []*bundle.Log) []string {
	if d.Report == nil {
		return []string{n.Name, "UNKNOWN", "", "", "", "", "", "", n.Address}
	}
	held := "-"
	for _, l := range logs {
		if o := l.Origin(); l.Node() == n.Name {
			held = fmt.Sprintf("%d-%d", o.First, o.Last)
			if len(o.Snapshots) > 0 {
				held = fmt.Sprintf("snapshot %d, %s", o.Snapshots[0].Index, held)
			}
		}
	}
	clock := "-"
	if !n.Clock.IsZero() {
		clock = n.Clock.Format(time.RFC3339)
	}
	catchUp, mode := conditionOf(d.Report)
	return []string{n.Name, d.Report.Role, count(d.Report.Term), output.Position(d.Report.Applied), catchUp, mode, held, clock, n.Address}
}
