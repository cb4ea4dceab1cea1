package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// AuditTailOptions are those of `candor audit tail`.
type AuditTailOptions struct {
	*Factory
	Server string
	All    bool
	Query  client.AuditQuery
}

// NewCmdAuditTail returns `candor audit tail`.
func NewCmdAuditTail(f *Factory, run func(context.Context, *AuditTailOptions) error) *cobra.Command {
	o := &AuditTailOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "tail [SERVER]", Short: "Read the audit log of a server",
		Long: `Read the audit log of a server: who asked for what, and what became of it. SERVER
is a member's name or ID, or HOST:PORT; without it the first server of --server or
the context is asked. Each server records what it was asked itself; --all reads
every member's and merges them by time.

VERDICT  ALLOWED   it was done
         DENIED    refused for want of a right or of an identity
         FAILED    refused or failed for another reason, or its outcome is unknown
         LOST, OMITTED   so many records are missing; no filter leaves them out

What is recorded is set by --audit at each server. It takes the right to get
system/audit, and ends when that goes. With -o json the lines are as they are on
the disk.`,
		Example: `candor audit tail
candor audit tail n2 -f --verdict DENIED
candor audit tail --all --actor ana --last 100
candor audit tail --method Delete -o json`,
		Args:              arguments(0, 1, "one server at most"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Server = args[0]
			}
			return runs(run, runAuditTail)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.Query.Follow, "follow", "f", false, "go on with what is recorded from now on, until Ctrl-C")
	flags.IntVar(&o.Query.Last, "last", 20, "begin with so many `lines`, -1 for all that are kept")
	flags.StringVar(&o.Query.Actor, "actor", "", "lines about this `actor` alone")
	flags.StringVar(&o.Query.Verdict, "verdict", "", "lines of this `verdict` alone: ALLOWED, DENIED or FAILED")
	flags.StringVar(&o.Query.Method, "method", "", "lines of this `method` alone, such as Create, ObjectService/Create or tls-handshake")
	flags.StringVar(&o.Query.Kind, "kind", "", "lines about this `kind` alone, as PLURAL.GROUP or system/members and its like")
	flags.BoolVar(&o.All, "all", false, "read every member's log, by time")
	return remotely(cmd, flagOutput)
}

func runAuditTail(ctx context.Context, o *AuditTailOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	switch {
	case format == output.YAMLFormat || format == output.NameFormat:
		return usage("-o %s: want table, wide, json or jsonpath=TEMPLATE", format)
	case o.All && o.Server != "":
		return usage("--all reads every server's log; %s is one", shown([]string{o.Server})[0])
	case o.All && o.Query.Follow:
		return usage("--all does not go with --follow: what one server says late could not be put in its place; follow one server")
	case o.All && o.Query.Last < 0:
		return usage("--all needs a number of lines: --last N")
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	if o.Flags.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Flags.Timeout)
		defer cancel()
	}
	if o.All {
		return o.merged(ctx, format)
	}
	return o.one(ctx, remote, format)
}

// one shows the log of one server as it comes.
func (o *AuditTailOptions) one(ctx context.Context, remote *Remote, format output.Format) error {
	address := remote.Servers[0]
	if o.Server != "" {
		var err error
		if address, err = o.address(ctx, remote, o.Server); err != nil {
			return err
		}
	}
	show, err := newAuditPrinter(o.Factory, format, false)
	if err != nil {
		return err
	}
	err = remote.Audit(address).TailAudit(ctx, o.Query, show.line)
	if o.Query.Follow {
		err = unlessOver(ctx, err)
	}
	return err
}

// merged shows the newest lines of all servers by time.
func (o *AuditTailOptions) merged(ctx context.Context, format output.Format) error {
	r, err := o.rings(ctx, "")
	if err != nil {
		return err
	}
	out := outcomes{f: o.Factory}
	var lines []auditLine
	for _, d := range r.servers {
		err := d.failure
		if err == nil {
			err = r.remote.Audit(d.Address).TailAudit(ctx, o.Query, func(line []byte) error {
				lines = append(lines, readAuditLine(line))
				return nil
			})
		}
		if err != nil {
			out.refuse("candor audit tail "+d.Server, err)
		}
	}
	// Lines of one time stay as their servers had them.
	slices.SortStableFunc(lines, func(a, b auditLine) int { return cmp.Compare(a.Time, b.Time) })
	if surplus := len(lines) - o.Query.Last; surplus > 0 {
		lines = lines[surplus:]
	}
	show, err := newAuditPrinter(o.Factory, format, true)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if err := show.row(line); err != nil {
			return err
		}
	}
	return out.end()
}
