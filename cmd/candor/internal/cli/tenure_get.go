package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TenureGetOptions are those of `candor tenure get`.
type TenureGetOptions struct {
	*Factory
	Duty string
	On   string
}

// NewCmdTenureGet returns `candor tenure get`.
func NewCmdTenureGet(f *Factory, run func(context.Context, *TenureGetOptions) error) *cobra.Command {
	o := &TenureGetOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "get DUTY", Short: "Show a duty: its era, its holder, what it inherited and from whom",
		Long: `Show a duty as one server sees it: its era and holder, how far numbers may go,
from which era it took over and how that was sealed, which handovers are not over,
and what the server itself does about the duty.`,
		Example:           "candor tenure get tso\ncandor tenure get ids --on n2",
		Args:              arguments(1, 1, "one duty"),
		ValidArgsFunction: f.completeDuty(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Duty = args[0]
			return runs(run, runTenureGet)(cmd.Context(), o)
		},
	}
	seenFrom(f, cmd, &o.On)
	return remotely(cmd, flagOutput)
}

type tenureDocument struct {
	client.Tenure
	// Here is what the server that answered does about it; absent where it never holds
	// the duty.
	Here        *client.DutyStatus `json:"here,omitempty"`
	ClusterTime int64              `json:"clusterTime,string"`
}

func runTenureGet(ctx context.Context, o *TenureGetOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	_, list, err := o.tenures(ctx, o.On)
	if err != nil {
		return err
	}
	t, err := tenureOf(list, o.Duty)
	if err != nil {
		return err
	}
	d := tenureDocument{Tenure: *t, ClusterTime: list.ClusterTime}
	if at := slices.IndexFunc(list.Here, func(s client.DutyStatus) bool { return s.Duty == o.Duty }); at >= 0 {
		d.Here = &list.Here[at]
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, d)
	case format == output.NameFormat:
		_, err = fmt.Fprintln(o.Out, output.Clean(d.Duty))
	default:
		node := "this server"
		if list.Witness != nil && list.Witness.NodeName != "" {
			node = list.Witness.NodeName
		}
		err = o.facts(&d, node)
	}
	if err != nil {
		return internal("tenure get", err)
	}
	if list.Witness != nil {
		o.Foot(*list.Witness)
	}
	return nil
}

func (o *TenureGetOptions) facts(d *tenureDocument, node string) error {
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Duty", d.Duty)
	facts.Add("Mandate", mandateText(d.Mandate))
	if e := d.Current; e != nil {
		facts.Add("Era", count(e.Number)+", "+e.State)
		facts.Add("Holder", holderFull(e))
		facts.Add("Granted", since(d.ClusterTime, e.GrantedAt)+", for "+output.Span(e.Duration)+" after each renewal")
		switch ends := expiry(e, d.ClusterTime); ends {
		case "":
		case "expired":
			facts.Add("Expires", since(d.ClusterTime, e.RenewedUntil)+": whoever campaigns takes it")
		default:
			facts.Add("Expires", "in "+ends+" unless it is renewed")
		}
		if e.Bound != (client.Frontiers{}) {
			facts.Add("Starts above", frontiersText(e.Start))
			facts.Add("May use up to", frontiersText(e.Bound))
		}
		if !e.Active() {
			facts.Add("Ended", d.sealText(e))
		}
		if e.Successor != "" {
			facts.Add("Kept for", e.Successor)
		}
		facts.Add("Inherited", d.inherited())
	}
	open := unfinishedText(&d.Tenure)
	if open == "" {
		open = "none"
	}
	facts.Add("Open handovers", open)
	facts.Add("On "+node, keeperText(d.Here))
	return facts.Flush()
}

// inherited is the witness of the handover to the newest era.
func (d *tenureDocument) inherited() string {
	e := d.Current
	if e.Predecessor == 0 {
		return "nothing: it is the first era"
	}
	cites := "cites the seal " + short(e.Lineage) + " of era " + count(e.Predecessor)
	for _, x := range d.eras() {
		if x.Number == e.Predecessor {
			return cites + ", which was " + holderText(&x) + "'s, " + d.sealText(&x) + "; it is " + x.State + " now"
		}
	}
	return cites
}

// eras are all that are known of the duty.
func (d *tenureDocument) eras() []client.Era {
	eras := slices.Clone(d.Unfinished)
	for _, e := range []*client.Era{d.Current, d.Finished} {
		if e != nil {
			eras = append(eras, *e)
		}
	}
	return eras
}

func (d *tenureDocument) sealText(e *client.Era) string {
	by := e.SealedBy
	for _, x := range d.eras() {
		if x.Holder == by {
			by = holderText(&x)
		}
	}
	if e.SealedBy == e.Holder {
		by = "its holder"
	}
	how := map[string]string{"EXACT": "with exactly what it used", "BOUND": "with all that it may have used"}[e.Sealing]
	text := "sealed " + since(d.ClusterTime, e.SealedAt) + " by " + by + " (" + e.Sealing + ", " + how + ")"
	if e.Usage != nil && *e.Usage != (client.Frontiers{}) {
		text += ": " + frontiersText(*e.Usage)
	}
	return text
}

func mandateText(mandate string) string {
	switch mandate {
	case "FENCED":
		return "FENCED: the root refuses what names a sealed era"
	case "BELIEF":
		return "BELIEF: it answers out of its own memory, only while no other can hold it"
	}
	return mandate
}

func holderFull(e *client.Era) string {
	if e.HolderName == "" {
		return e.Holder
	}
	return e.HolderName + " (" + e.Holder + ")"
}

// frontiersText leaves out what the duty does not use.
func frontiersText(f client.Frontiers) string {
	var parts []string
	for _, part := range []struct {
		name  string
		value uint64
	}{{"ID", f.ID}, {"timestamp", f.Timestamp}, {"transition", f.Transition}} {
		if part.value != 0 {
			parts = append(parts, part.name+" "+count(part.value))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// keeperText is what a server does about a duty.
func keeperText(s *client.DutyStatus) string {
	switch {
	case s == nil:
		return "it never holds this duty (candor server --duties)"
	case s.Acting:
		text := "acts in era " + count(s.Era) + ", renewed " + output.Span(s.RenewedAgo) + " ago"
		if !s.Believes {
			text += ", and may not believe in it any longer"
		}
		if s.FollowsLeader {
			return text + "; goes with leadership"
		}
		return text + "; stays when leadership goes"
	case s.Resting > 0:
		return "does not campaign for another " + output.Span(s.Resting)
	default:
		return "stands by"
	}
}
