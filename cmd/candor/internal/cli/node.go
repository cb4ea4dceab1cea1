package cli

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

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
