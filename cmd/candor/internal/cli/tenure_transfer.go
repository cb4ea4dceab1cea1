package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TenureTransferOptions are those of `candor tenure transfer`.
type TenureTransferOptions struct {
	*Factory
	Duty, Server string
}

// NewCmdTenureTransfer returns `candor tenure transfer`.
func NewCmdTenureTransfer(f *Factory, run func(context.Context, *TenureTransferOptions) error) *cobra.Command {
	o := &TenureTransferOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "transfer DUTY SERVER", Short: "Hand a duty to another server",
		Long: `Hand a duty to another server. Its holder stops, seals its era with exactly what
it used, and keeps the duty for the server; this waits until that one acts. It
then keeps the duty when leadership goes elsewhere, until it stops or the duty is
transferred again. Of the server that holds it already this asks only that.

Exit code 0: it acts. 4: another has taken the duty. 5: nobody holds it, or its
holder cannot be reached; nothing was done. 9: it does not act yet.`,
		Example:           "candor tenure transfer tso n2",
		Args:              arguments(2, 2, "a duty and a server"),
		ValidArgsFunction: f.completeDuty(true),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Duty, o.Server = args[0], args[1]
			return runs(run, runTenureTransfer)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagOutput)
}

func runTenureTransfer(ctx context.Context, o *TenureTransferOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	until := o.Now().Add(o.Flags.timeout(requestTimeout))
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	done, err := remote.Duties.TransferTenure(ctx, o.Duty, o.Server)
	if err != nil {
		return o.look(err)
	}
	e := done.Tenure.Current
	switch {
	case !e.Active():
		err = o.late("era " + count(done.SealedEra) + " is sealed, and " + o.Server + " has not taken the duty yet")
	case e.HolderName != o.Server && e.Holder != string(candor.PartyServer)+"/"+o.Server:
		err = candor.Errorf(candor.ReasonConflict, "era %d was sealed for %s, which did not take the duty in time: %s holds it now, in era %d",
			done.SealedEra, o.Server, holderText(e), e.Number)
	default:
		err = o.acts(ctx, remote, e, until)
	}
	if err != nil {
		return o.look(err)
	}
	if format.Structured() {
		return internal("tenure transfer", format.Document(o.Out, done))
	}
	told := fmt.Sprintf("%s acts under duty %s in era %d; era %d was sealed for it", holderText(e), o.Duty, e.Number, done.SealedEra)
	if e.Number == done.SealedEra {
		told = fmt.Sprintf("%s holds duty %s already, in era %d, and keeps it when leadership goes", holderText(e), o.Duty, e.Number)
	}
	_, err = fmt.Fprintln(o.Out, output.Clean(told))
	return internal("tenure transfer", err)
}

// look adds where to see what became of it.
func (o *TenureTransferOptions) look(err error) error {
	switch candor.ReasonOf(err) {
	case candor.ReasonNotAMember:
		return try(err, "candor cluster members")
	case candor.ReasonUnauthenticated, candor.ReasonForbidden:
		return err
	default:
		return try(err, "candor tenure get "+o.Duty, "candor tenure list")
	}
}

func (o *TenureTransferOptions) late(message string) error {
	return &candor.Error{Reason: candor.ReasonWaitTimedOut, Subject: o.Duty, Message: message}
}

// actsPause is how often the new holder is asked whether it acts.
const actsPause = 50 * time.Millisecond

// acts waits until the holder of an era acts under it, by its own word.
func (o *TenureTransferOptions) acts(ctx context.Context, remote *Remote, e *client.Era, until time.Time) error {
	address, err := o.address(ctx, remote, o.Server)
	if err != nil {
		return o.late(o.Server + " has won era " + count(e.Number) + ", and whether it acts is not known: " + said(err))
	}
	for {
		list, err := remote.Tenures.Tenures(ctx, client.OnEndpoint(address), client.WithoutSession())
		if err == nil && slices.ContainsFunc(list.Here, func(s client.DutyStatus) bool { return s.Duty == o.Duty && s.Acting && s.Era >= e.Number }) {
			return nil
		}
		missing := o.Server + " has won era " + count(e.Number) + " and does not act yet"
		if err != nil {
			missing = o.Server + " has won era " + count(e.Number) + ", and whether it acts is not known: " + said(err)
		}
		if !o.Now().Before(until) {
			return o.late(missing)
		}
		if err := o.Sleep(ctx, actsPause); err != nil {
			return o.late(missing)
		}
	}
}
