package cli

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NewCmdNode returns `candor node` and its commands.
func NewCmdNode(f *Factory) *cobra.Command {
	cmd := newGroup("node", "Look at workers' nodes, cordon and drain them; have a server stand back, or mend its view",
		NewCmdNodeList(f, nil), NewCmdNodeCordon(f, nil), NewCmdNodeUncordon(f, nil), NewCmdNodeDrain(f, nil), NewCmdNodeViewOnly(f, nil), NewCmdNodeRepair(f, nil))
	cmd.Long = `Two kinds of machines: a worker's node runs instances (list, cordon, uncordon,
drain), a server is a member of the cluster and keeps its state (view-only, repair).
"candor node list" names the first, "candor cluster members" the others.`
	return cmd
}

// address finds the API address of a server: by name or ID among the members,
// or as it is given.
func (f *Factory) address(ctx context.Context, remote *Remote, server string) (string, error) {
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server, nil
	}
	members, err := remote.Cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		return "", err
	}
	var names []string
	for _, member := range members.Members {
		names = append(names, member.Name)
		if member.Name != server && member.ServerID != server {
			continue
		}
		if member.APIAddress == "" {
			return "", &candor.Error{
				Reason: candor.ReasonUnavailable, Subject: server,
				Message: fmt.Sprintf("the API address of %s is not known: it was never heard of since the server that was asked began", server),
			}
		}
		return member.APIAddress, nil
	}
	return "", &candor.Error{
		Reason: candor.ReasonNotAMember, Subject: server,
		Message: fmt.Sprintf("no member is called %q; there are %s", server, strings.Join(names, ", ")),
	}
}

// memberName is the name of a server ID, or the ID where the members are not
// known.
func (f *Factory) memberName(ctx context.Context, remote *Remote, serverID string) string {
	members, err := remote.Cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		return serverID
	}
	for _, member := range members.Members {
		if member.ServerID == serverID && member.Name != "" {
			return member.Name
		}
	}
	return serverID
}

// memberNames are for completion.
func (f *Factory) memberNames(ctx context.Context) ([]string, error) {
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	members, err := remote.Cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, member := range members.Members {
		names = append(names, member.Name)
	}
	return names, nil
}

// stand says what a server says of itself, apart from any read.
func (f *Factory) stand(w candor.Witness) {
	parts := []string{w.NodeName + " at " + output.Position(w.ServedToken), strings.TrimSpace(string(w.Mode) + " " + w.DegradedReason)}
	if w.CatchUp != "" {
		parts = append(parts, string(w.CatchUp))
	}
	f.Narrate("%s", f.ErrPalette().States(output.Clean(strings.Join(parts, " · "))))
}
