package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/drill/generate"
	"github.com/candor-plane/candor/drill/scenario"
)

// DrillListOptions are those of `candor drill list` and `candor drill show`.
type DrillListOptions struct {
	*Factory
	policyFlags
	Name string
}

// NewCmdDrillList returns `candor drill list`.
func NewCmdDrillList(f *Factory, run func(context.Context, *DrillListOptions) error) *cobra.Command {
	o := &DrillListOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "list", Short: "List the scenarios that this program brings along",
		Long: `List the scenarios that this program brings along: how long their load lasts, and
what they do. "candor drill show NAME" prints one as the file that it is; such a file,
changed or your own, is run by its path.`,
		Example: "candor drill list\ncandor drill list -o json",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runs(run, runDrillList)(cmd.Context(), o) },
	}
	return honours(cmd, flagOutput)
}

type scenariosDocument struct {
	APIVersion string               `json:"apiVersion"`
	Kind       string               `json:"kind"`
	Items      []*scenario.Scenario `json:"items"`
}

func runDrillList(_ context.Context, o *DrillListOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	all, err := scenario.Library()
	if err != nil {
		return err
	}
	if format.Structured() {
		return internal("drill list", format.Document(o.Out, scenariosDocument{candor.APIVersion, "ScenarioList", all}))
	}
	if format.String() == "name" {
		for _, s := range all {
			if _, err := fmt.Fprintln(o.Out, s.Name); err != nil {
				return internal("drill list", err)
			}
		}
		return nil
	}
	table := output.NewTable(o.Out, o.OutPalette(), "NAME", "SERVERS", "LOAD", "FAULTS", "SUMMARY")
	for _, s := range all {
		table.Row(s.Name, fmt.Sprint(s.Cluster.Servers), s.Load.For.String(), faultsOf(s), s.Summary)
	}
	return internal("drill list", table.Flush())
}

// faultsOf are the kinds of a scenario's faults, each once.
func faultsOf(s *scenario.Scenario) string {
	var kinds []string
	for i := range s.Faults {
		if kind := string(s.Faults[i].Kind); !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return "-"
	}
	return strings.Join(kinds, ",")
}

// NewCmdDrillShow returns `candor drill show`.
func NewCmdDrillShow(f *Factory, run func(context.Context, *DrillListOptions) error) *cobra.Command {
	o := &DrillListOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "show [NAME]", Short: "Print a scenario as the file that it is",
		Long: `Print a scenario as the file that it is: one of "candor drill list", or with --policy the
one that is made of a failure policy for nodes ("candor drill run --help").`,
		Example: "candor drill show leader-kill > mine.yaml\ncandor drill run mine.yaml\ncandor drill show --policy default-nodes",
		Args:    arguments(0, 1, "the name of a scenario"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.wants(args); err != nil {
				return err
			}
			o.Name = strings.Join(args, "")
			return runs(run, runDrillShow)(cmd.Context(), o)
		},
		ValidArgsFunction: scenarioNames,
	}
	o.policyFlags.add(cmd.Flags())
	return remotely(cmd)
}

func runDrillShow(ctx context.Context, o *DrillListOptions) error {
	text, err := scenario.Text(o.Name)
	switch {
	case o.given():
		if text, err = o.ofPolicy(ctx); err != nil {
			return err
		}
	case err != nil:
		return unknownScenario(o.Name)
	}
	_, err = o.Out.Write(text)
	return internal("drill show", err)
}

// ofPolicy is the drill of the policy, as it is written.
func (o *DrillListOptions) ofPolicy(ctx context.Context) ([]byte, error) {
	s, err := o.scenario(ctx, o.Factory)
	if err != nil {
		return nil, err
	}
	return generate.Text(s)
}
