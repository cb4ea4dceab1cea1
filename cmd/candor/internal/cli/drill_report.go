package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
)

// DrillReportOptions are those of `candor drill report`.
type DrillReportOptions struct {
	*Factory
	Dir  string
	HTML string
}

// NewCmdDrillReport returns `candor drill report`.
func NewCmdDrillReport(f *Factory, run func(context.Context, *DrillReportOptions) error) *cobra.Command {
	o := &DrillReportOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "report DIR", Short: "Print the account of a drill again",
		Long: `Print the account of a drill again, from the folder that "candor drill run" wrote.
Exit codes are those of the drill.`,
		Example: "candor drill report drill-leader-kill\ncandor drill report drill-leader-kill --html again.html",
		Args:    arguments(1, 1, "the folder of an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dir = args[0]
			return runs(run, runDrillReport)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.HTML, "html", "", "draw it again into this `file`")
	return honours(cmd, flagOutput)
}

// accountIn reads the account in a folder.
func accountIn(dir string) (*report.Report, error) {
	path := filepath.Join(dir, "report.json")
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: path, Message: fmt.Sprintf("%s is not there: a drill that came to an end leaves it", path)}
	}
	if err != nil {
		return nil, internal("drill report", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	r, err := report.Read(file)
	if err != nil {
		return nil, candor.Wrap(path, err)
	}
	r.Folder = dir
	return r, nil
}

func runDrillReport(_ context.Context, o *DrillReportOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	account, err := accountIn(o.Dir)
	if err != nil {
		return err
	}
	if o.HTML != "" {
		if err := drawn(o.HTML, account); err != nil {
			return err
		}
	}
	if format.Structured() {
		err = format.Document(o.Out, account)
	} else {
		err = report.WriteText(o.Out, account)
	}
	if err != nil {
		return internal("drill report", err)
	}
	return verdictExit(account.Verdict)
}

func drawn(path string, account *report.Report) error {
	file, err := os.Create(path)
	if err != nil {
		return candor.Errorf(candor.ReasonInvalid, "%v", err)
	}
	err = report.WriteHTML(file, account)
	return internal("drill report", errors.Join(err, file.Close()))
}
