package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/verify/history"
)

// DrillSummaryOptions are those of `candor drill summary`.
type DrillSummaryOptions struct {
	*Factory
	Dirs []string
}

// NewCmdDrillSummary returns `candor drill summary`.
func NewCmdDrillSummary(f *Factory, run func(context.Context, *DrillSummaryOptions) error) *cobra.Command {
	o := &DrillSummaryOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "summary DIR…", Short: "Put many accounts into one table, with the bars that they were measured against",
		Long: `Put many accounts into one table: each drill's verdict, and how long writes waited;
then, over all of them, how long writes waited for a leader that was killed, for a
transfer, and for a leader whose disk hangs, beside the bars of docs/verification.md.

Exit code 0: all PASS. 8: a VIOLATION. 1: something INCONCLUSIVE. A bar that is missed is
told, and is no part of the exit code: how long something takes is the machine's doing too.`,
		Example: "candor drill summary drills/*",
		Args:    arguments(1, -1, "folders of accounts"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dirs = args
			return runs(run, runDrillSummary)(cmd.Context(), o)
		},
	}
	return honours(cmd, flagOutput)
}

type drillSummaryDocument struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Drills     []drilledItem `json:"drills"`
	Bars       []report.Bar  `json:"bars"`
}

type drilledItem struct {
	Folder   string          `json:"folder"`
	Scenario string          `json:"scenario"`
	Seed     uint64          `json:"seed"`
	Verdict  history.Verdict `json:"verdict"`
	Why      []string        `json:"why,omitempty"`
}

func runDrillSummary(_ context.Context, o *DrillSummaryOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	var accounts []*report.Report
	worst := history.Pass
	d := drillSummaryDocument{APIVersion: candor.APIVersion, Kind: "DrillSummary"}
	for _, dir := range o.Dirs {
		account, err := accountIn(dir)
		if err != nil {
			return err
		}
		accounts = append(accounts, account)
		d.Drills = append(d.Drills, drilledItem{dir, account.Scenario.Name, account.Seed, account.Verdict, account.Why})
		if worst != history.Violated && account.Verdict != history.Pass {
			worst = account.Verdict
		}
	}
	d.Bars = report.Bars(accounts)
	if format.Structured() {
		err = format.Document(o.Out, d)
	} else {
		err = report.WriteSummary(o.Out, accounts)
	}
	if err != nil {
		return internal("drill summary", err)
	}
	return verdictExit(worst)
}
