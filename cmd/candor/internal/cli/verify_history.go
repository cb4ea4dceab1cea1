package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

// VerifyHistoryOptions are those of `candor verify history`.
type VerifyHistoryOptions struct {
	*Factory
	File   string
	Checks []string
	Least  int
}

// NewCmdVerifyHistory returns `candor verify history`.
func NewCmdVerifyHistory(f *Factory, run func(context.Context, *VerifyHistoryOptions) error) *cobra.Command {
	o := &VerifyHistoryOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "history FILE", Short: "Check a recorded history against every promise",
		Long: `Check a recorded history, as a drill leaves it in history.jsonl, against every
promise: what was checked on how many items, what was found, and by how much the
weakest item held. "-" reads standard input. Nothing is asked of any cluster.

  linearizability  answers are those of one order that follows real time; with tokens,
                   and without
  staleness        reads keep the bound asked for and the bound claimed; labels are honest
  sessions         a client never goes back behind what it has read or written
  watches          ordered, each once, whole turns, filtered, nothing left out
  durability       what was acknowledged is there once, and nothing else is
  tenures          eras follow one another, and nothing of a sealed one counts
  placements       one place, one end, no more than a node has; decisions replay
  determinism      one digest at an index, on every node and from every file
  invariants       no turn broke one

A check with nothing to check is left out, unless --check names it; of one that found a
violation the records are shown that cannot all be.

Exit code 0: PASS. 8: VIOLATION. 1: INCONCLUSIVE, for less was checked than was asked
for, or the file is not a history (the refusal names the line).`,
		Example: "candor verify history history.jsonl\ncandor verify history history.jsonl --check watches --check durability --least 1000\ncandor verify history history.jsonl -o json",
		Args:    arguments(1, 1, "one file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.File = args[0]
			return runs(run, runVerifyHistory)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringSliceVar(&o.Checks, "check", nil, "run this `check` alone, and demand that it has something to check; may be given again")
	cmd.Flags().IntVar(&o.Least, "least", 1, "how many items every property must have been checked on")
	// The flag is there: it was added above.
	_ = cmd.RegisterFlagCompletionFunc("check", cobra.FixedCompletions(checkNames(), cobra.ShellCompDirectiveNoFileComp))
	return honours(cmd, flagOutput)
}

func checkNames() []string {
	names := make([]string, 0, len(evidence.Names))
	for _, name := range evidence.Names {
		names = append(names, string(name))
	}
	return names
}

type verificationDocument struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Source     string          `json:"source,omitempty"`
	Verdict    history.Verdict `json:"verdict"`
	history.Summary
}

func runVerifyHistory(_ context.Context, o *VerifyHistoryOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	demands, err := o.demands()
	if err != nil {
		return err
	}
	e, err := o.read()
	if err != nil {
		return err
	}
	s := evidence.Check(e, demands)
	verdict := s.Verdict()
	switch {
	case format.Structured():
		err = format.Document(o.Out, verificationDocument{candor.APIVersion, "Verification", e.Source, verdict, s})
	default:
		err = o.table(&s)
	}
	if err != nil {
		return internal("verify history", err)
	}
	switch verdict {
	case history.Pass:
		return nil
	case history.Violated:
		return &ended{exit: candor.ExitViolated}
	default:
		return &ended{exit: candor.ExitError}
	}
}

func (o *VerifyHistoryOptions) demands() (evidence.Demands, error) {
	if o.Least < 1 {
		return evidence.Demands{}, usage("--least %d: want 1 or more", o.Least)
	}
	d := evidence.Demands{Least: o.Least}
	for _, name := range o.Checks {
		if !slices.Contains(evidence.Names, evidence.Name(name)) {
			return d, usage("--check %s: there is no such check; want one of %s", name, strings.Join(checkNames(), ", "))
		}
		if d.Demanded == nil {
			d.Demanded = map[evidence.Name]int{}
		}
		d.Demanded[evidence.Name(name)] = o.Least
		d.Only = append(d.Only, evidence.Name(name))
	}
	return d, nil
}

func (o *VerifyHistoryOptions) read() (*evidence.Evidence, error) {
	if o.File == "-" {
		e, err := evidence.Read(o.In)
		return e, candor.Wrap("standard input", err)
	}
	file, err := os.Open(o.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: o.File, Message: "there is no file " + o.File}
	}
	if err != nil {
		return nil, internal("verify history", err)
	}
	e, err := evidence.Read(file)
	// What was read is there, whatever the end of the file says.
	_ = file.Close()
	return e, candor.Wrap(o.File, err)
}

func (o *VerifyHistoryOptions) table(s *history.Summary) error {
	table := output.NewTable(o.Out, o.OutPalette(), "CHECK", "PROPERTY", "CHECKED", "VERDICT", "MARGIN").States()
	for i := range s.Reports {
		r := &s.Reports[i]
		margin := "-"
		if r.Margin != nil {
			margin = r.Margin.String()
		}
		table.Row(r.Check, r.Property, count(uint64(max(0, r.Checked))), string(r.Verdict), margin)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(s.Reports) == 0 {
		_, err := fmt.Fprintln(o.Out, "INCONCLUSIVE: the file has nothing that any check could be made on")
		return err
	}
	if err := o.explain(s.Explanation()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.Out, "\n%s\n", o.OutPalette().States(string(s.Verdict())))
	return err
}

// explain writes text that a file has a part in, line by line.
func (o *VerifyHistoryOptions) explain(text string) error {
	for line := range strings.Lines(text) {
		if _, err := fmt.Fprintln(o.Out, output.Clean(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}
