package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/drill/generate"
	"github.com/candor-plane/candor/verify/coverage"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// VerifyCoverageOptions are those of `candor verify coverage`.
type VerifyCoverageOptions struct {
	*Factory
	Files    []string
	Data     []string
	Explore  bool
	Seeds    int
	Seed     uint64
	Into     string
	Scenario string
}

// NewCmdVerifyCoverage returns `candor verify coverage`.
func NewCmdVerifyCoverage(f *Factory, run func(context.Context, *VerifyCoverageOptions) error) *cobra.Command {
	o := &VerifyCoverageOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "coverage [FILE...]", Short: "Say which steps of every lifecycle were seen, and which never",
		Long: `Say which of the steps that duties, eras, transitions, members, objects and the
others may take were seen, and by whom:

  S  simulations        --sim, and files
  B  bubbles            servers in virtual time: files
  P  processes          drills: files
  J  journals           the logs of servers: --data, and files

and which the explorer reaches (--explore). Steps that it reaches and nobody has seen
are the unknown region: each is listed with a shortest path, and --scenario makes a
drill of it. CHANCE OF NEW estimates how likely the next observation shows a step that
none has shown: the share of observations that are alone of their step.

A FILE is what --merge wrote, or a drill left as coverage.json. --data takes a stopped
server's data directory, or FILE or FILE@NODE of a debug bundle: of one server of a
cluster, since the others' logs show the same turns, which would be counted again.

Exit code 0: all that was seen is declared. 8: something is not; it is shown with both
states and the place where it was seen.`,
		Example: "candor verify coverage --explore --sim 1000\ncandor verify coverage coverage.json --data ./cluster/n1 --explore --merge all.json\ncandor verify coverage --scenario 'duty/KEPT->HELD' > succeed.yaml",
		Args:    arguments(0, -1, "files of coverages"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Files = args
			return runs(run, runVerifyCoverage)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Data, "data", nil, "replay the log in this `DIR`, or bundle; may be given again")
	flags.BoolVar(&o.Explore, "explore", false, "explore the models of duties and transitions; takes seconds")
	flags.IntVar(&o.Seeds, "sim", 0, "simulate so many `SEEDS`")
	flags.Uint64Var(&o.Seed, "seed", 1, "the first of them")
	flags.StringVar(&o.Into, "merge", "", "write all of it into this `FILE`")
	flags.StringVar(&o.Scenario, "scenario", "", "print a drill that makes `STEP` likely, and do nothing else: LIFECYCLE/FROM->TO, and :EVENT where several join the two")
	return honours(cmd, flagOutput)
}

// coverageDocument is all that a coverage comes to.
type coverageDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	coverage.Summary
}

func runVerifyCoverage(ctx context.Context, o *VerifyCoverageOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	switch {
	case o.Scenario != "" && (len(o.Files) > 0 || len(o.Data) > 0 || o.Explore || o.Seeds != 0 || o.Into != ""):
		return usage("--scenario goes with nothing else")
	case o.Scenario != "":
		return o.scenario()
	case o.Seeds < 0:
		return usage("--sim %d: want 0 or more", o.Seeds)
	}
	c, err := o.gather(ctx)
	if err != nil {
		return err
	}
	if err := o.merge(c); err != nil {
		return err
	}
	s := c.Summary()
	if format.Structured() {
		err = format.Document(o.Out, coverageDocument{candor.APIVersion, "Coverage", s})
	} else {
		err = o.print(&s)
	}
	if err != nil {
		return internal("verify coverage", err)
	}
	if s.Failed() {
		return &ended{exit: candor.ExitViolated}
	}
	return nil
}

// scenario prints a drill for a step.
func (o *VerifyCoverageOptions) scenario() error {
	step, _, err := lifecycle.Find(o.Scenario)
	if err != nil {
		return try(err, "candor verify coverage -o json      every declared step")
	}
	s, err := generate.For(step)
	if err != nil {
		return err
	}
	text, err := generate.Text(s)
	if err != nil {
		return err
	}
	_, err = o.Out.Write(text)
	return internal("verify coverage", err)
}

// gather is all that files, logs, simulations and the explorer tell.
func (o *VerifyCoverageOptions) gather(ctx context.Context) (*coverage.Coverage, error) {
	c := coverage.New()
	for _, path := range o.Files {
		read, err := o.read(path)
		if err != nil {
			return nil, err
		}
		c.Merge(read)
	}
	for _, path := range o.Data {
		turns, err := o.replayed(ctx, c, path)
		if err != nil {
			return nil, err
		}
		o.Narrate("%s: %d turns", path, turns)
	}
	if o.Seeds > 0 {
		if err := c.Simulate(ctx, o.Seed, o.Seeds, 0); err != nil {
			return nil, try(err, "candor verify sim --help")
		}
	}
	if o.Explore {
		if err := c.Explore(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (o *VerifyCoverageOptions) read(path string) (*coverage.Coverage, error) {
	if path == "-" {
		c, err := coverage.Read(o.In)
		return c, candor.Wrap("standard input", err)
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: path, Message: "there is no file " + path}
	}
	if err != nil {
		return nil, internal("verify coverage", err)
	}
	c, err := coverage.Read(file)
	// What was read is there, whatever the end of the file says.
	_ = file.Close()
	return c, candor.Wrap(path, err)
}

func (o *VerifyCoverageOptions) replayed(ctx context.Context, c *coverage.Coverage, path string) (turns int, err error) {
	name := path
	if _, err := os.Stat(name); err != nil {
		if at := strings.LastIndexByte(name, '@'); at > 0 {
			name = name[:at]
		}
	}
	if _, err := os.Stat(name); err != nil {
		return 0, &candor.Error{Reason: candor.ReasonNotFound, Subject: path, Message: "there is no directory or bundle " + name}
	}
	from, err := o.openSource(ctx, path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	return c.Replay(ctx, coverage.Journal, from)
}

// merge writes all of it where that was asked for.
func (o *VerifyCoverageOptions) merge(c *coverage.Coverage) error {
	if o.Into == "" {
		return nil
	}
	return writeCoverage(c, o.Into)
}

// writeCoverage writes the file whole, or leaves it as it was.
func writeCoverage(c *coverage.Coverage, path string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".candor-coverage-*")
	if err != nil {
		return candor.Errorf(candor.ReasonUsage, "write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err := errors.Join(c.Write(file), file.Close()); err != nil {
		return internal("write a coverage", err)
	}
	return internal("write a coverage", os.Rename(file.Name(), path))
}

func (o *VerifyCoverageOptions) print(s *coverage.Summary) error {
	headers := []string{"LIFECYCLE", "DECLARED", "REACHED", "SEEN"}
	for _, source := range coverage.Sources() {
		headers = append(headers, string(source))
	}
	table := output.NewTable(o.Out, o.OutPalette(), append(headers, "UNKNOWN", "CHANCE OF NEW")...)
	for i := range s.Lifecycles {
		l := &s.Lifecycles[i]
		row := []string{string(l.Lifecycle), tally(l.Declared), "-", tally(l.Any)}
		unknown := "-"
		if l.Explored {
			row[2], unknown = tally(l.Reached), tally(len(l.Unknown))
		}
		for _, source := range coverage.Sources() {
			row = append(row, tally(l.Seen[source]))
		}
		table.Row(append(row, unknown, chance(l.Chance))...)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	unknownRegion(&b, s)
	for i := range s.Outside {
		x := &s.Outside[i]
		fmt.Fprintf(&b, "\nSEEN AND NOT DECLARED: %s, %d times by %s: %s\n", output.Clean(x.Step), x.Count, x.Source, output.Clean(x.First))
	}
	for i := range s.Astray {
		b.WriteString("\nREACHED AND NOT DECLARED: ")
		wayTo(&b, &s.Astray[i])
	}
	_, err := io.WriteString(o.Out, b.String())
	return err
}

// unknown lists the unknown region, nearest steps first within each lifecycle.
func unknownRegion(b *strings.Builder, s *coverage.Summary) {
	n := s.Unknown()
	fmt.Fprintf(b, "\n%d observations; the chance that the next one shows a step that none has shown: %s\n", s.Observations, chance(s.Chance))
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "\nThe unknown region: %d steps that the explorer reaches and nobody has seen\n", n)
	for i := range s.Lifecycles {
		for j := range s.Lifecycles[i].Unknown {
			r := &s.Lifecycles[i].Unknown[j]
			b.WriteString("\n")
			wayTo(b, r)
			fmt.Fprintf(b, "  candor verify coverage --scenario '%s'\n", output.Clean(r.Step))
		}
	}
}

// wayTo is a step that is reached, and a shortest path to it.
func wayTo(b *strings.Builder, r *coverage.Reached) {
	fmt.Fprintf(b, "%s\n", output.Clean(r.Step))
	for i, step := range r.Path {
		fmt.Fprintf(b, "  %2d. %s\n", i+1, output.Clean(step))
	}
}

// tally is a count that is not negative.
func tally(n int) string { return count(uint64(max(0, n))) }

// chance is a share in percent.
func chance(c coverage.Chance) string {
	if c.Observations == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3g%%", 100*c.Estimate)
}
