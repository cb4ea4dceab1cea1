package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
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

--all looks into every member, and compares the digests of their states.`,
		Example:           "candor diagnostics n2\ncandor diagnostics --all\ncandor diagnostics 127.0.0.1:7103 -o json",
		Args:              arguments(0, 1, "at most one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Server = args[0]
			}
			return runs(run, runDiagnostics)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Every, "all", false, "every member")
	return remotely(cmd, flagOutput)
}

type nodeDocument struct {
	Address string               `json:"address"`
	Report  *client.NodeReport   `json:"report,omitempty"`
	Records []client.TurnRecord  `json:"records,omitempty"`
	Error   string               `json:"error,omitempty"`
	digests []client.IndexDigest // of --all
}

func (d nodeDocument) name() string {
	if d.Report != nil && d.Report.NodeName != "" {
		return d.Report.NodeName
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
	addresses, err := o.addresses(ctx, remote)
	if err != nil {
		return err
	}
	failures := outcomes{f: o.Factory}
	var nodes []nodeDocument
	for _, address := range addresses {
		node, err := o.look(ctx, remote.Node(address), address)
		if err != nil && !o.Every {
			return try(err, "candor status", "candor diagnostics --all")
		}
		if err != nil {
			failures.refuse("diagnostics of "+address, try(err, "look at the server's own log, or start it"))
			node.Error = err.Error()
		}
		nodes = append(nodes, node)
	}
	if err := o.show(format, nodes); err != nil {
		return internal("diagnostics", err)
	}
	return failures.end()
}

func (o *DiagnosticsOptions) addresses(ctx context.Context, remote *Remote) ([]string, error) {
	switch {
	case o.Server != "":
		address, err := o.address(ctx, remote, o.Server)
		return []string{address}, err
	case !o.Every:
		return remote.Servers[:1], nil
	}
	members, err := remote.Cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		o.Narrate("the members are not known (%v); looking at the servers of the command line or context", err)
		return remote.Servers, nil
	}
	var addresses []string
	for _, member := range members.Members {
		if member.APIAddress == "" {
			o.Narrate("the API address of %s is not known", output.Clean(member.Name))
			continue
		}
		addresses = append(addresses, member.APIAddress)
	}
	return addresses, nil
}

func (o *DiagnosticsOptions) look(ctx context.Context, node NodeReader, address string) (nodeDocument, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(serverPatience))
	defer cancel()
	found := nodeDocument{Address: address}
	var err error
	if found.Report, err = node.Node(ctx); err != nil {
		return nodeDocument{Address: address}, err
	}
	if found.Records, err = node.Records(ctx); err != nil {
		o.Narrate("%s does not tell its records: %v", address, err)
	}
	if o.Every {
		if found.digests, err = node.Digests(ctx, 0); err != nil {
			o.Narrate("%s does not tell its digests: %v", address, err)
		}
	}
	return found, nil
}

type nodesDocument struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Items      []nodeDocument `json:"items"`
}

func (o *DiagnosticsOptions) show(format output.Format, nodes []nodeDocument) error {
	switch {
	case format.Structured() && o.Every:
		return format.Document(o.Out, nodesDocument{APIVersion: candor.APIVersion, Kind: "NodeList", Items: nodes})
	case format.Structured():
		return format.Document(o.Out, nodes[0])
	}
	shown := 0
	for _, node := range nodes {
		if node.Report == nil {
			continue
		}
		if shown++; shown > 1 {
			if _, err := io.WriteString(o.Out, "\n"); err != nil {
				return err
			}
		}
		if err := o.node(node); err != nil {
			return err
		}
	}
	if !o.Every {
		return nil
	}
	gap := "\n"
	if shown == 0 {
		gap = ""
	}
	_, err := fmt.Fprintf(o.Out, "%s%s\n", gap, compareDigests(nodes))
	return err
}
