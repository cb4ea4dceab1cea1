package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// FreshnessOptions are those of `candor freshness`.
type FreshnessOptions struct {
	*Factory
	Server string
	// Age is 0 for the default of reads, Lag nil for no bound.
	Age time.Duration
	Lag *uint64
}

// NewCmdFreshness returns `candor freshness`.
func NewCmdFreshness(f *Factory, run func(context.Context, *FreshnessOptions) error) *cobra.Command {
	o := &FreshnessOptions{Factory: f}
	var lag uint64
	cmd := &cobra.Command{
		Use: "freshness SERVER", Short: "Try a read of every class at one server, and say why it is served or refused",
		Long: `Try a read of every class at one server, and say what it gets there now, and
why. SERVER is a member's name or ID, or HOST:PORT. The server asks the leader
as such a read does; it works without a quorum, where the answers differ.

PROVEN  how old the view may be: everything acknowledged longer ago is in it
LAG     how many log entries it misses, at least
-       is not proven

"candor help reading" explains the classes.`,
		Example:           "candor freshness n2\ncandor freshness n2 --age 200ms --lag 100\ncandor freshness 127.0.0.1:7103 -o json",
		Args:              arguments(1, 1, "one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Server = args[0]
			if cmd.Flags().Changed("lag") {
				o.Lag = &lag
			}
			return runs(run, runFreshness)(cmd.Context(), o)
		},
	}
	cmd.Flags().DurationVar(&o.Age, "age", 0, "bounded reads allow a view this `old` (default: as reads do, 1s)")
	cmd.Flags().Uint64Var(&lag, "lag", 0, "bounded reads allow so many missing `entries` (default: any)")
	return remotely(cmd, flagOutput)
}

type freshnessDocument struct {
	Address string `json:"address"`
	*client.NodeFreshness
}

func runFreshness(ctx context.Context, o *FreshnessOptions) error {
	if o.Age < 0 {
		return usage("--age %v: want a positive duration, for example 500ms", o.Age)
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	address, err := o.address(ctx, remote, o.Server)
	if err != nil {
		return err
	}
	found, err := remote.Node(address).Freshness(ctx, client.FreshnessBounds{MaxStaleness: o.Age, MaxLag: o.Lag})
	if err != nil {
		return try(err, "candor diagnostics --all", "candor status")
	}
	if format.Structured() {
		err = format.Document(o.Out, freshnessDocument{Address: address, NodeFreshness: found})
	} else {
		err = o.show(found, format.Wide())
	}
	if err != nil {
		return internal("freshness", err)
	}
	if found.Witness != nil {
		o.stand(*found.Witness)
	}
	return nil
}

func (o *FreshnessOptions) show(found *client.NodeFreshness, wide bool) error {
	columns := []string{"READ", "ANSWER", "WHY", "PROVEN", "LAG", "MECHANISM", "CLASS"}
	if wide {
		columns = append(columns, "AS OF", "RETRY", "TOOK")
	}
	table := output.NewTable(o.Out, o.OutPalette(), columns...).States()
	var refusals strings.Builder
	for _, v := range found.Verdicts {
		table.Row(o.cells(v)...)
		if v.Served {
			continue
		}
		fmt.Fprintf(&refusals, "%s: %s\n", o.readWord(v), output.Clean(v.Message))
		if next := retryText(v); next != "" {
			fmt.Fprintf(&refusals, "  next: %s\n", output.Clean(next))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if refusals.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(o.Out, "\n"+refusals.String())
	return err
}

func (o *FreshnessOptions) cells(v client.ClassVerdict) []string {
	w := v.Witness
	if w == nil {
		w = &candor.Witness{}
	}
	answer, why := "refused", string(v.Reason)
	if v.Served {
		answer, why = "served", servedBecause(w)
	}
	proven, lag := "", ""
	if w.StalenessBound != nil {
		proven = output.Span(*w.StalenessBound)
	}
	if w.RootLag != nil {
		lag = output.Count(*w.RootLag)
	}
	return []string{
		o.readWord(v), answer, why, proven, lag, string(w.Mechanism), string(w.Class),
		output.Position(w.ServedToken), string(v.Retry), output.Span(v.Took),
	}
}

// readWord is what --read asks for such a read with.
func (o *FreshnessOptions) readWord(v client.ClassVerdict) string {
	switch v.Freshness {
	case candor.FreshnessStrong:
		if v.FollowerReadIndex {
			return "strong:follower"
		}
		return "strong"
	case candor.FreshnessBounded:
		var bounds []string
		if o.Age > 0 {
			bounds = append(bounds, "age="+o.Age.String())
		}
		if o.Lag != nil {
			bounds = append(bounds, "lag="+count(*o.Lag))
		}
		if len(bounds) == 0 {
			return "bounded"
		}
		return "bounded:" + strings.Join(bounds, ",")
	case candor.FreshnessBestEffort:
		return "best-effort"
	}
	return string(v.Freshness)
}

// servedBecause says what an answer rests on.
func servedBecause(w *candor.Witness) string {
	switch w.Mechanism {
	case candor.MechanismLeaderReadIndex:
		return "a majority confirmed its term"
	case candor.MechanismFollowerReadIndex:
		return "the leader proved its index"
	case candor.MechanismProvenView:
		return "a proof is applied"
	case candor.MechanismView:
		return "any view will do"
	}
	return ""
}

// retryText says what a client may do about a refusal.
func retryText(v client.ClassVerdict) string {
	switch v.Retry {
	case candor.RetryLeader:
		if v.Witness != nil && v.Witness.Leader != nil {
			return "ask the leader, by hint " + strings.TrimSpace(v.Witness.Leader.Name+" "+v.Witness.Leader.Address)
		}
		return "ask the leader; this server knows of none"
	case candor.RetryOtherNode:
		return "ask another server"
	case candor.RetrySameNode, candor.RetryLater:
		return "ask again later"
	case candor.RetryWaitForToken:
		return "wait until it has caught up"
	case candor.RetryAcceptStale:
		return "ask another server, or read with --read=best-effort, which may be old and says so"
	default:
		return ""
	}
}
