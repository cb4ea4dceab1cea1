package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ClusterReplaceOptions are those of `candor cluster replace`.
type ClusterReplaceOptions struct {
	*Factory
	Old, New string
	Replace  client.ReplaceOptions
}

// replaceTimeout is how long a replacement is waited for by default: a newcomer has the
// whole state to take over.
const replaceTimeout = 5 * time.Minute

// NewCmdClusterReplace returns `candor cluster replace`.
func NewCmdClusterReplace(f *Factory, run func(context.Context, *ClusterReplaceOptions) error) *cobra.Command {
	o := &ClusterReplaceOptions{Factory: f}
	members := f.completeOnce(f.memberNames)
	cmd := &cobra.Command{
		Use: "replace OLD NEW", Short: "Bring a server in for another, which goes",
		Long: `Bring a server in for another, which goes. The new one has joined already
("candor server --join"). It gets its vote once it has caught up; if the old one
leads, leadership is handed over; then the old one is removed. A server whose disk
is gone is replaced too: with a new disk it is a new server.

The steps are shown as they are made. Ctrl-C, or the end of the time (--timeout, 5m
by default), ends the waiting alone: the replacement goes on, as the transition
that is named, and "candor transition cancel" gives it up.

It is refused where a step would leave too few voters that answer, with the
numbers. --force overrides that: one more failure, or none, may then leave the
cluster without a majority, which "candor cluster recover" alone mends.

Exit code 0: it is done. 6: it goes on. Otherwise it was refused, or ended
without success.`,
		Example: "candor cluster replace n3 n6\ncandor cluster replace n3 n6 --timeout 30m",
		Args:    arguments(2, 2, "the server that goes and the one that comes"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 1 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return members(cmd, nil, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Old, o.New = args[0], args[1]
			return runs(run, runClusterReplace)(cmd.Context(), o)
		},
	}
	forceFlag(cmd, &o.Replace.Force)
	configurationFlag(cmd, &o.Replace.ExpectedConfiguration)
	return remotely(cmd, flagOutput)
}

func runClusterReplace(ctx context.Context, o *ClusterReplaceOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(replaceTimeout))
	defer cancel()
	follow := newFollowing(o.Factory, remote, "member-replace", o.Old)
	follow.begin(ctx)
	following, stop := context.WithCancel(ctx)
	defer stop()
	var done client.Reshaped
	var asking sync.WaitGroup
	asking.Go(func() {
		if done, err = remote.Changer.Replace(ctx, o.Old, o.New, o.Replace); err != nil {
			stop()
			return
		}
		// The watch may be behind the answer, and is not waited for longer than that.
		time.AfterFunc(lastWord, stop)
	})
	follow.show(following)
	asking.Wait()
	if err != nil {
		return o.failed(ctx, err, follow.id)
	}
	if format.Structured() {
		return internal("cluster replace", format.Document(o.Out, done))
	}
	_, err = fmt.Fprintf(o.Out, "%s came for %s, configuration %d%s\n", output.Clean(o.New), output.Clean(o.Old), done.ConfigurationIndex, asTransition(done.Transition))
	return internal("cluster replace", err)
}

// failed is the end of a replacement that was not heard to succeed. id is the transition
// as far as it was seen.
func (o *ClusterReplaceOptions) failed(ctx context.Context, err error, id string) error {
	if named := client.TransitionIn(err); named != "" {
		id = named
	}
	reason := candor.ReasonOf(err)
	if id != "" && (reason == candor.ReasonOutcomeUnknown || ctx.Err() != nil) {
		why := "its end was not heard"
		switch ctx.Err() {
		case context.Canceled:
			why = "you stopped waiting"
		case context.DeadlineExceeded:
			why = "the time to wait is over"
		}
		return unsure(&candor.Error{Reason: candor.ReasonOutcomeUnknown, Subject: id, Message: why + "; the replacement goes on as transition " + id, Err: err})
	}
	if reason == candor.ReasonQuorumAtRisk && id == "" {
		return atRisk(err, "candor cluster replace "+o.Old+" "+o.New)
	}
	return unsure(err)
}
