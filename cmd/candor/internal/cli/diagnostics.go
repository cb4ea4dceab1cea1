package cli

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// DiagnosticsOptions are those of `candor diagnostics`.
type DiagnosticsOptions struct {
	*Factory
	Server string
	Every  bool
}

// NewCmdDiagnostics returns `candor diagnostics`.
func NewCmdDiagnostics(f *Factory, run func(context.Context, *DiagnosticsOptions) error) *cobra.Command {
	o := &DiagnosticsOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "diagnostics [SERVER | --all]", Short: "Look inside servers; works without a quorum",
		Long: `Look inside a server: its log, disk, queue, state and what it admitted and
refused. A server answers for itself alone, with or without a quorum. SERVER is
a member's name or ID, or HOST:PORT; without one, the first known server.

--all asks every server directly: those of the command line or context, and the
members that any of them knows. It compares the digests of their states. A server
that does not answer is a row that says so, and the exit code is 5. -o wide adds
what each server says of itself in full.

PROVEN  how old the view may be: everything acknowledged longer ago is in it
LAG     how many log entries it misses, at least
-       is not proven, or not known`,
		Example:           "candor diagnostics n2\ncandor diagnostics n2 -o wide     every request that is remembered\ncandor diagnostics --all\ncandor diagnostics 127.0.0.1:7103 -o json",
		Args:              arguments(0, 1, "at most one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Server = args[0]
			}
			return runs(run, runDiagnostics)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Every, "all", false, "every server")
	return remotely(cmd, flagOutput)
}

// nodeDocument is what is known of one server: its word, or why it gave none.
type nodeDocument struct {
	Name    string               `json:"name,omitempty"`
	Address string               `json:"address,omitempty"`
	Report  *client.NodeReport   `json:"report,omitempty"`
	Records []client.TurnRecord  `json:"records,omitempty"`
	Error   string               `json:"error,omitempty"`
	digests []client.IndexDigest // of --all
	missing []string
	failure error
}

func (d nodeDocument) name() string {
	switch {
	case d.Report != nil && d.Report.NodeName != "":
		return d.Report.NodeName
	case d.Name != "":
		return d.Name
	}
	return d.Address
}

func runDiagnostics(ctx context.Context, o *DiagnosticsOptions) error {
	if o.Every && o.Server != "" {
		return usage("--all and a server exclude each other")
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	if o.Every {
		return o.all(ctx, remote, format)
	}
	address := remote.Servers[0]
	if o.Server != "" {
		if address, err = o.address(ctx, remote, o.Server); err != nil {
			return err
		}
	}
	found := o.look(ctx, remote.Node(address), nodeDocument{Address: address})
	if found.failure != nil {
		return try(found.failure, "candor status", "candor diagnostics --all")
	}
	o.gaps(found)
	if format.Structured() {
		err = format.Document(o.Out, found)
	} else {
		err = o.node(found, format.Wide())
	}
	return internal("diagnostics", err)
}

// all looks into every server at once. One that does not answer is a row that
// says so, and the end of the command too.
func (o *DiagnosticsOptions) all(ctx context.Context, remote *Remote, format output.Format) error {
	nodes := o.everyone(ctx, remote)
	var looks sync.WaitGroup
	for i := range nodes {
		looks.Go(func() {
			if nodes[i].failure == nil {
				nodes[i] = o.look(ctx, remote.Node(nodes[i].Address), nodes[i])
			}
		})
	}
	looks.Wait()
	nodes = once(nodes)
	slices.SortStableFunc(nodes, func(a, b nodeDocument) int { return strings.Compare(a.name(), b.name()) })
	failures := outcomes{f: o.Factory}
	for _, node := range nodes {
		o.gaps(node)
		if node.failure != nil {
			failures.refuse("diagnostics of "+node.name(), try(node.failure, "look at the server's own log, or start it"))
		}
	}
	if err := o.showAll(format, nodes); err != nil {
		return internal("diagnostics", err)
	}
	return failures.end()
}

func (o *DiagnosticsOptions) look(ctx context.Context, node NodeReader, found nodeDocument) nodeDocument {
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(serverPatience))
	defer cancel()
	if found.Report, found.failure = node.Node(ctx); found.failure != nil {
		found.Report, found.Error = nil, found.failure.Error()
		return found
	}
	var err error
	if found.Records, err = node.Records(ctx); err != nil {
		found.missing = append(found.missing, "does not tell its records: "+err.Error())
	}
	if o.Every {
		if found.digests, err = node.Digests(ctx, 0); err != nil {
			found.missing = append(found.missing, "does not tell its digests: "+err.Error())
		}
	}
	return found
}

// gaps says what is missing of an answer.
func (o *DiagnosticsOptions) gaps(node nodeDocument) {
	for _, missing := range node.missing {
		o.Narrate("%s %s", output.Clean(node.name()), output.Clean(missing))
	}
}
