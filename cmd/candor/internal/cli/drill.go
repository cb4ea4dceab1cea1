package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/manifest"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

// NewCmdDrill returns `candor drill` and its commands.
func NewCmdDrill(f *Factory) *cobra.Command {
	return newGroup("drill", "Do harm to a cluster on purpose, and hold what it did against every promise",
		NewCmdDrillList(f, nil), NewCmdDrillShow(f, nil), NewCmdDrillRun(f, nil), NewCmdDrillReport(f, nil), NewCmdDrillSummary(f, nil),
		NewCmdDrillReplay(f, nil), NewCmdDrillDoctor(f, nil),
	)
}

// scenarioOf is a scenario by its name in the library, or by its file.
func scenarioOf(name string) (*scenario.Scenario, error) {
	s, err := scenario.Named(name)
	if candor.ReasonOf(err) != candor.ReasonNotFound {
		return s, err
	}
	text, failed := os.ReadFile(name)
	switch {
	case errors.Is(failed, os.ErrNotExist):
		return nil, unknownScenario(name)
	case failed != nil:
		return nil, internal("drill", failed)
	}
	return scenario.Parse(name, text)
}

// unknownScenario refuses a name, and says which is near it.
func unknownScenario(name string) error {
	all, err := scenario.Library()
	if err != nil {
		return err
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	message := fmt.Sprintf("no scenario and no file is named %q", name)
	if meant := manifest.Meant(name, names); meant != "" {
		message += "; did you mean " + meant + "?"
	}
	return try(&candor.Error{Reason: candor.ReasonNotFound, Subject: name, Message: message}, "candor drill list")
}

// scenarioNames completes the names of scenarios.
func scenarioNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := scenario.Library()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name+"\t"+s.Summary)
	}
	return names, cobra.ShellCompDirectiveDefault
}

// verdictExit is how a command ends that came to a verdict.
func verdictExit(v history.Verdict) error {
	switch v {
	case history.Pass:
		return nil
	case history.Violated:
		return &ended{exit: candor.ExitViolated}
	default:
		return &ended{exit: candor.ExitError}
	}
}
