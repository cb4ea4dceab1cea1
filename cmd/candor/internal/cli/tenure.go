package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NewCmdTenure returns `candor tenure` and its commands.
func NewCmdTenure(f *Factory) *cobra.Command {
	cmd := newGroup("tenure", "Look at who may act under which duty, and hand duties over",
		NewCmdTenureList(f, nil), NewCmdTenureGet(f, nil), NewCmdTenureTransfer(f, nil), NewCmdTenureAudit(f, nil))
	cmd.Long = `Look at who may act under which duty, and hand duties over.

A duty has one holder at a time: janitor cleans up after deletions and compacts,
ids and tso hand out numbers (candor alloc), and a group of controllers outside
the servers has control/GROUP. The right is a tenure. Its era counts the holders;
what a holder does names its era, and the root refuses whatever names another
than the active one.

An era is ACTIVE until it is SEALED, by its holder with exactly what it used
(EXACT), or by whoever takes over from one that is gone, with all that it may
have used (BOUND). The next era cites the seal and begins above; its holder
confirms that and closes the handover (CONFIRMED, CLOSED).`
	return cmd
}

// completeDuty completes the name of a duty, and for a second argument that of a
// server.
func (f *Factory) completeDuty(server bool) completer {
	duties := f.completeOnce(f.dutyNames)
	members := f.completeOnce(f.memberNames)
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if server && len(args) == 1 {
			return members(cmd, nil, typed)
		}
		return duties(cmd, args, typed)
	}
}

func (f *Factory) dutyNames(ctx context.Context) ([]string, error) {
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	list, err := remote.Tenures.Tenures(ctx, client.WithoutSession())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range list.Tenures {
		names = append(names, t.Duty)
	}
	return names, nil
}

// holderText is whom an era belongs to: the name of a member, else the holder.
func holderText(e *client.Era) string {
	switch {
	case e == nil:
		return ""
	case e.HolderName != "":
		return e.HolderName
	default:
		return e.Holder
	}
}

// actsFor says who acts under a duty: who holds it, or that nobody does.
func actsFor(t *client.Tenure, clusterTime int64) string {
	if e := t.Current; e.Active() && e.RenewedUntil > clusterTime {
		return holderText(e)
	}
	return "nobody"
}

// expiry is in how long an active era ends unless it is renewed.
func expiry(e *client.Era, clusterTime int64) string {
	switch {
	case !e.Active():
		return ""
	case e.RenewedUntil <= clusterTime:
		return "expired"
	default:
		return output.Span(time.Duration(e.RenewedUntil - clusterTime))
	}
}

// since is how long ago an instant of cluster time was.
func since(clusterTime, at int64) string {
	return output.Span(time.Duration(max(0, clusterTime-at))) + " ago"
}

func unfinishedText(t *client.Tenure) string {
	parts := make([]string, 0, len(t.Unfinished))
	for i := range t.Unfinished {
		parts = append(parts, count(t.Unfinished[i].Number)+" "+t.Unfinished[i].State)
	}
	return strings.Join(parts, ", ")
}

// tenureOf finds a duty among those that were ever held.
func tenureOf(list *client.Tenures, duty string) (*client.Tenure, error) {
	at := slices.IndexFunc(list.Tenures, func(t client.Tenure) bool { return t.Duty == duty })
	if at < 0 {
		return nil, try(&candor.Error{
			Reason: candor.ReasonNotFound, Subject: duty, Message: "nobody has ever held a duty " + duty,
		}, "candor tenure list")
	}
	return &list.Tenures[at], nil
}

// tenures asks a server, or any where none is named, for the duties.
func (f *Factory) tenures(ctx context.Context, on string) (*Remote, *client.Tenures, error) {
	remote, err := f.Remote()
	if err != nil {
		return nil, nil, err
	}
	options := []client.ReadOption{client.WithoutSession()}
	if on != "" {
		address, err := f.address(ctx, remote, on)
		if err != nil {
			return nil, nil, err
		}
		options = append(options, client.OnEndpoint(address))
	}
	list, err := remote.Tenures.Tenures(ctx, options...)
	return remote, list, err
}

func seenFrom(f *Factory, cmd *cobra.Command, server *string) {
	cmd.Flags().StringVar(server, flagOn, "", "as this `server` sees it, by name, ID or HOST:PORT (default: any)")
	// The flag is there: it was added above.
	_ = cmd.RegisterFlagCompletionFunc(flagOn, f.completeOnce(f.memberNames))
}

// duties says in one line who holds which duty, as a server sees it: what status shows
// must not fail for it.
func (f *Factory) duties(ctx context.Context, remote *Remote, options []client.ReadOption) string {
	list, err := remote.Tenures.Tenures(ctx, options...)
	if err != nil {
		return "not known: " + string(candor.ReasonOf(err))
	}
	return dutiesText(list)
}

func dutiesText(list *client.Tenures) string {
	parts := make([]string, 0, len(list.Tenures))
	for i := range list.Tenures {
		t := &list.Tenures[i]
		parts = append(parts, t.Duty+" "+actsFor(t, list.ClusterTime))
	}
	if len(parts) == 0 {
		return "none was ever held"
	}
	return strings.Join(parts, ", ")
}
