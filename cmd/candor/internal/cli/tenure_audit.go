package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/lineage"
)

// TenureAuditOptions are those of `candor tenure audit`.
type TenureAuditOptions struct {
	*Factory
	Duty string
}

// NewCmdTenureAudit returns `candor tenure audit`.
func NewCmdTenureAudit(f *Factory, run func(context.Context, *TenureAuditOptions) error) *cobra.Command {
	o := &TenureAuditOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "audit [DUTY]", Short: "Check the chain of eras of every duty, from its history",
		Long: `Check the chain of eras of every duty, or of one, from the history of its object:
that one era followed another, each cites the seal of the one before it and starts
where that one ended or above, that every seal is the digest of what its era says,
and that none was changed afterwards. The check runs here, on what was read.

It covers the versions that are not compacted, and says what those leave out.

Exit code 0: the chains are in order. 8: one is not.`,
		Example:           "candor tenure audit\ncandor tenure audit tso -o json",
		Args:              arguments(0, 1, "at most one duty"),
		ValidArgsFunction: f.completeDuty(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Duty = args[0]
			}
			return runs(run, runTenureAudit)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagOutput, flagRead, flagStale)
}

type auditsDocument struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Items      []lineage.Report `json:"items"`
	// Floor: what is older may be compacted.
	Floor uint64 `json:"floor"`
}

func runTenureAudit(ctx context.Context, o *TenureAuditOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	duties, remote, err := o.duties(ctx)
	if err != nil {
		return err
	}
	document := auditsDocument{APIVersion: candor.APIVersion, Kind: "TenureAuditList", Items: []lineage.Report{}}
	out := outcomes{f: o.Factory}
	var last *candor.Witness
	for _, duty := range duties {
		report, history, err := audited(ctx, remote, duty, reading)
		if err != nil {
			out.refuse("candor tenure audit "+duty, err)
			continue
		}
		document.Items = append(document.Items, report)
		document.Floor, last = history.Floor, &history.Witness
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, document)
	case len(document.Items) > 0:
		err = o.table(document)
	}
	if err != nil {
		return internal("tenure audit", err)
	}
	if last != nil {
		o.Foot(*last)
	}
	for i := range document.Items {
		if x := document.Items[i].Violation; x != nil {
			out.refuse("candor tenure audit "+document.Items[i].Duty, broken(document.Items[i].Duty, x))
		}
	}
	return out.end()
}

// duties are the one that was named, or all that were ever held.
func (o *TenureAuditOptions) duties(ctx context.Context) ([]string, *Remote, error) {
	if o.Duty != "" {
		remote, err := o.Remote()
		return []string{o.Duty}, remote, err
	}
	remote, list, err := o.tenures(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	var duties []string
	for i := range list.Tenures {
		duties = append(duties, list.Tenures[i].Duty)
	}
	if len(duties) == 0 {
		o.Narrate("no duty was ever held")
	}
	return duties, remote, nil
}

func audited(ctx context.Context, remote *Remote, duty string, reading Reading) (lineage.Report, *client.History, error) {
	ref, err := lineage.Ref(duty)
	if err != nil {
		return lineage.Report{}, nil, try(err, "candor tenure list")
	}
	history, err := remote.Reader.History(ctx, ref, reading.options()...)
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return lineage.Report{}, nil, try(err, "candor tenure list")
	}
	if err != nil {
		return lineage.Report{}, nil, err
	}
	report, err := lineage.Audit(duty, history)
	return report, history, err
}

func broken(duty string, x *lineage.Violation) error {
	// The duty has an object: its history was read.
	ref, _ := lineage.Ref(duty)
	e := &candor.Error{Reason: candor.ReasonInvariantViolated, Subject: duty, Message: x.Guarantee + " of duty " + duty + ", era " + count(x.Era) + ": " + x.Detail, Err: errChain}
	return try(e, "candor history "+string(ref.Kind)+" "+ref.Name+" -o yaml      every version as the root wrote it", "candor diagnostics --all")
}

var errChain = errors.New("the chain of eras is broken")

func (o *TenureAuditOptions) table(d auditsDocument) error {
	table := output.NewTable(o.Out, o.OutPalette(), "DUTY", "RESULT", "ERAS", "VERSIONS", "NOT COVERED").States()
	for i := range d.Items {
		r := &d.Items[i]
		result := "OK"
		if r.Violation != nil {
			result = "BROKEN"
		}
		eras := count(r.First)
		if r.Last != r.First {
			eras += " to " + count(r.Last)
		}
		table.Row(r.Duty, result, eras, count(uint64(r.Versions)), uncovered(r, d.Floor))
	}
	return table.Flush()
}

// uncovered is what an audit of what is left cannot speak of.
func uncovered(r *lineage.Report, floor uint64) string {
	switch {
	case r.Whole:
		return "nothing"
	case r.First > 1:
		return "eras before " + count(r.First) + ": compacted below revision " + count(floor)
	default:
		return "what was before revision " + count(r.From) + ": compacted below " + count(floor)
	}
}
