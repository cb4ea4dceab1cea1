package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/replay"
)

// ReplayOptions are those of `candor replay`.
type ReplayOptions struct {
	*Factory
	Source    string
	From      string
	To        uint64
	Step      bool
	Show      string
	Other     string
	Snapshots bool
	Digests   string
}

// NewCmdReplay returns `candor replay`.
func NewCmdReplay(f *Factory, run func(context.Context, *ReplayOptions) error) *cobra.Command {
	o := &ReplayOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "replay [SOURCE]", Short: "Run a server's log again and compare what it comes to",
		Long: `Run a server's log again, entry by entry, through the real state machine, and
compare the state's digest wherever one was published: by the server, and in
the snapshots on its disk. The same log always comes to the same state, so a
digest that differs proves that a log, a snapshot, a server or a build is not
what it was. Nothing is changed.

` + sourceHelp + `

It begins at the log's beginning, or at the oldest snapshot that the log goes
on from. --step shows every turn; on a terminal Enter goes on to the next
entry, c to the end, q stops. --diff finds the first entry after which two
sources tell of other states, and shows that turn of both.

PASS           every digest that could be compared is the same
VIOLATION      one is not; exit code 8
INCONCLUSIVE   there was none to compare with`,
		Example: `candor replay n2
candor replay ./cluster/n1 --verify-snapshots
candor replay ./cluster/n1 --to 1042 --show namespaces/shop
candor replay bundle.zip@n2 --diff bundle.zip@n1
candor replay n3 --from-snapshot 900 --step`,
		Args:              arguments(0, 1, "at most one source"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Source = args[0]
			}
			return runs(run, runReplay)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.From, "from-snapshot", "", "begin at the snapshot of this `ID` or INDEX; 0 for the log's beginning")
	flags.Uint64Var(&o.To, "to", 0, "stop after the entry of this `INDEX`; 0 for the last that was applied")
	flags.BoolVar(&o.Step, "step", false, "show every turn: who asked for what, what came of it, the digest")
	flags.StringVar(&o.Show, "show", "", "show this `OBJECT` (KIND/NAME or KIND/NAMESPACE/NAME) as it is at the end")
	flags.StringVar(&o.Other, "diff", "", "find the first entry after which this `SOURCE` tells of another state")
	flags.BoolVar(&o.Snapshots, "verify-snapshots", false, "replay from every snapshot too: all must come to the same state")
	flags.StringVar(&o.Digests, "digests", "", "compare with the digests in this `FILE` too: lines of INDEX DIGEST")
	return remotely(cmd, flagNamespace, flagOutput)
}

// replayDocument is all that a replay came to.
type replayDocument struct {
	*replay.Report
	TurnsPerSecond float64                 `json:"turnsPerSecond"`
	Starts         []replay.Start          `json:"starts,omitempty"`
	Object         *candor.Object          `json:"object,omitempty"`
	State          *replay.StateDifference `json:"state,omitempty"`
}

func runReplay(ctx context.Context, o *ReplayOptions) (err error) {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	switch {
	case o.Other != "" && (o.Step || o.Show != "" || o.From != "" || o.Snapshots || o.Digests != ""):
		return usage("--diff goes with --to alone")
	case o.Step && format.Structured() && format.String() != "json":
		return usage("--step -o %s: want table or json", format)
	}
	points, err := readDigests(o.Digests)
	if err != nil {
		return err
	}
	from, err := o.openSource(ctx, o.Source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	if o.Other != "" {
		return o.differ(ctx, format, from)
	}
	options := replay.Options{From: o.From, To: o.To, Points: points}
	if o.Step {
		options.Step = o.stepper(format)
	}
	report, err := replay.Run(ctx, from, options)
	if err != nil {
		return err
	}
	document := &replayDocument{Report: report, TurnsPerSecond: report.TurnsPerSecond()}
	if err := o.complete(ctx, from, document); err != nil {
		return err
	}
	if err := o.print(format, document); err != nil {
		return internal("replay", err)
	}
	switch {
	case report.Verdict == history.Violated:
		return &ended{exit: candor.ExitViolated}
	case report.Verdict == history.Inconclusive && o.Snapshots:
		return &ended{exit: candor.ExitError}
	default:
		return nil
	}
}

// complete does what was asked for besides the replay itself.
func (o *ReplayOptions) complete(ctx context.Context, from *logSource, d *replayDocument) error {
	if o.Show != "" {
		ref, err := d.Find(o.Show, o.Flags.Namespace)
		if err != nil {
			return err
		}
		if d.Object, err = d.Report.Object(ref); err != nil {
			return err
		}
		if d.Object == nil {
			return &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: fmt.Sprintf("there is no %s in the state at %s", ref, d.Token)}
		}
	}
	if o.Snapshots {
		starts, verdict, err := replay.Starts(ctx, from, d.Report)
		if err != nil {
			return err
		}
		d.Starts = starts
		switch {
		case d.Verdict == history.Violated:
		case verdict == history.Inconclusive:
			d.Verdict, d.Why = verdict, "the log goes on from one place alone: --verify-snapshots had nothing to compare"
		default:
			d.Verdict, d.Why = verdict, ""
		}
	}
	// What the server has now says best what its state lacks.
	if d.Mismatch != nil && from.live != "" {
		state, err := replay.Against(ctx, from, o.From, from, from.live, mostApart)
		if err != nil {
			d.Notes = append(d.Notes, "the state that the server is in now could not be compared: "+err.Error())
		}
		d.State = state
	}
	return nil
}

// mostApart is how many objects are shown in which two states differ.
const mostApart = 20

// stepper shows turns as they are taken.
func (o *ReplayOptions) stepper(format output.Format) func(*replay.Turn) error {
	if format.Structured() {
		return func(t *replay.Turn) error { return output.Line(o.Out, t) }
	}
	input, ok := o.In.(*os.File)
	asks := ok && term.IsTerminal(input.Fd()) && o.OutTerminal
	answers := bufio.NewReader(o.In)
	last := uint64(0)
	return func(t *replay.Turn) error {
		if asks && last != 0 && t.Index != last {
			o.Narrate("-- Enter: entry %d · c: to the end · q: stop", t.Index)
			answer, err := answers.ReadString('\n')
			switch strings.TrimSpace(answer) {
			case "q":
				return replay.ErrStop
			case "c":
				asks = false
			}
			if errors.Is(err, io.EOF) {
				return replay.ErrStop
			}
		}
		last = t.Index
		_, err := io.WriteString(o.Out, turnText(t, ""))
		return err
	}
}

// readDigests reads lines of an index and a digest; "" is no file.
func readDigests(path string) ([]replay.Point, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonNotFound, "--digests: %w", err)
	}
	var out []replay.Point
	for i, line := range strings.Split(string(data), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		bad := func() error {
			return candor.Errorf(candor.ReasonInvalid, "%s:%d: want an index and a digest of 32 hexadecimal digits", path, i+1)
		}
		if len(fields) != 2 {
			return nil, bad()
		}
		index, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			return nil, bad()
		}
		digest, err := replay.ParseDigest(fields[1])
		if err != nil {
			return nil, bad()
		}
		out = append(out, replay.Point{Index: index, Digest: digest, By: path})
	}
	return out, nil
}
