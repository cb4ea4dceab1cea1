package client

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Member is one server of the cluster's configuration.
type Member struct {
	ServerID string `json:"serverID"`
	Name     string `json:"name"`
	Voter    bool   `json:"voter"`
	Leader   bool   `json:"leader"`
	// RaftAddress is as Raft knows it, SERVER-ID@HOST:PORT; RaftEndpoint is its
	// HOST:PORT.
	RaftAddress  string `json:"raftAddress"`
	RaftEndpoint string `json:"raftEndpoint,omitempty"`
	APIAddress   string `json:"apiAddress,omitempty"`
	// Liveness is what gossip says, a hint: ALIVE, SUSPECT, DEAD, LEFT; UNKNOWN
	// where it has not heard of the server.
	Liveness     string `json:"liveness,omitempty"`
	Version      string `json:"version,omitempty"`
	FeatureLevel uint32 `json:"featureLevel,omitempty"`
	// AppliedHint is the last applied index that gossip told; nil when unknown.
	AppliedHint *uint64 `json:"appliedHint,omitempty"`
}

// Members is the configuration that one node knows.
type Members struct {
	Members            []Member        `json:"members"`
	ConfigurationIndex uint64          `json:"configurationIndex"`
	Witness            *candor.Witness `json:"witness,omitempty"`
}

// Members asks any node, or with OnEndpoint that one. Of the options only that
// and WithoutSession apply.
func (k *Cluster) Members(ctx context.Context, options ...ReadOption) (*Members, error) {
	out := new(candorv1.MembersResponse)
	w, err := k.ask(ctx, candorv1.ClusterService_Members_FullMethodName, &candorv1.MembersRequest{}, out, options)
	if err != nil {
		return nil, candor.Wrap("members", err)
	}
	k.client.directory.setMembers(out.GetMembers())
	k.client.clock.observe(out.GetClusterTime())
	return &Members{Members: members(out.GetMembers()), ConfigurationIndex: out.GetConfigurationIndex(), Witness: w}, nil
}

// JoinRequest is a server that asks to be a member.
type JoinRequest struct {
	ServerID    string
	Name        string
	RaftAddress string
	APIAddress  string
	// ClusterID that the server's disk names; empty when it knows none yet.
	ClusterID    string
	FeatureLevel uint32
}

// Joined is what the cluster tells a new member; the configuration alone where the
// leader went before it answered.
type Joined struct {
	ClusterID          string   `json:"clusterID"`
	HistoryID          string   `json:"historyID"`
	ConfigurationIndex uint64   `json:"configurationIndex"`
	Members            []Member `json:"members"`
	Transition         string   `json:"transition,omitempty"`
}

// Join adds a server as a non-voter.
func (k *Cluster) Join(ctx context.Context, server JoinRequest) (*Joined, error) {
	in := &candorv1.JoinRequest{
		ServerId: server.ServerID, Name: server.Name, RaftAddress: server.RaftAddress, ApiAddress: server.APIAddress,
		ClusterId: server.ClusterID, FeatureLevel: server.FeatureLevel,
	}
	out := new(candorv1.JoinResponse)
	ended, err := k.reshape(ctx, candorv1.ClusterService_Join_FullMethodName, server.ServerID, in, out)
	if err != nil {
		return nil, candor.Wrap("join "+server.Name, err)
	}
	return &Joined{
		ClusterID: out.GetClusterId(), HistoryID: out.GetHistoryId(), ConfigurationIndex: k.configuration(ctx, out.GetConfigurationIndex()),
		Members: members(out.GetMembers()), Transition: orElse(out.GetTransition(), ended),
	}, nil
}

// RemoveOptions say how a server is removed.
type RemoveOptions struct {
	// ExpectedConfiguration refuses the removal (EPOCH_MISMATCH) unless the
	// configuration is the one of this index; 0 for any.
	ExpectedConfiguration uint64
	// Force removes even where fewer than a majority of the rest is known alive.
	Force bool
}

// Reshaped is what came of a change of the members.
type Reshaped struct {
	ConfigurationIndex uint64 `json:"configurationIndex"`
	Transition         string `json:"transition,omitempty"`
}

// Remove takes a server, by ID or name, out of the cluster.
func (k *Cluster) Remove(ctx context.Context, server string, o RemoveOptions) (Reshaped, error) {
	in := &candorv1.RemoveRequest{Server: server, ExpectedConfigurationIndex: o.ExpectedConfiguration, Force: o.Force}
	out := new(candorv1.RemoveResponse)
	ended, err := k.reshape(ctx, candorv1.ClusterService_Remove_FullMethodName, server, in, out)
	if err != nil {
		return Reshaped{}, candor.Wrap("remove "+server, err)
	}
	return Reshaped{ConfigurationIndex: k.configuration(ctx, out.GetConfigurationIndex()), Transition: orElse(out.GetTransition(), ended)}, nil
}

// ReplaceOptions say how a server is replaced.
type ReplaceOptions struct {
	// ExpectedConfiguration is as in RemoveOptions.
	ExpectedConfiguration uint64
	// Force accepts a risk to the quorum.
	Force bool
}

// Replace brings with, a member that joined before, in for server, which goes; both by ID
// or name. It is given its vote once it has caught up, takes leadership over if need be,
// and then the other is removed. Catching up may take longer than ctx does: then the
// replacement goes on, and the error names the transition.
func (k *Cluster) Replace(ctx context.Context, server, with string, o ReplaceOptions) (Reshaped, error) {
	in := &candorv1.ReplaceRequest{Server: server, With: with, ExpectedConfigurationIndex: o.ExpectedConfiguration, Force: o.Force}
	out := new(candorv1.ReplaceResponse)
	ended, err := k.reshape(ctx, candorv1.ClusterService_Replace_FullMethodName, server, in, out)
	if err != nil {
		return Reshaped{}, candor.Wrap("replace "+server, err)
	}
	return Reshaped{ConfigurationIndex: k.configuration(ctx, out.GetConfigurationIndex()), Transition: orElse(out.GetTransition(), ended)}, nil
}

// Promoted is what came of a Promote.
type Promoted struct {
	ConfigurationIndex uint64 `json:"configurationIndex"`
	// VotedAlready: the server had its vote before, and nothing was changed.
	VotedAlready bool   `json:"votedAlready"`
	Transition   string `json:"transition,omitempty"`
}

// Promote makes a non-voter, by ID or name, vote; NOT_CAUGHT_UP, until the
// deadline, while it is behind.
func (k *Cluster) Promote(ctx context.Context, server string, expectedConfiguration uint64) (Promoted, error) {
	in := &candorv1.PromoteRequest{Server: server, ExpectedConfigurationIndex: expectedConfiguration}
	out := new(candorv1.PromoteResponse)
	ended, err := k.reshape(ctx, candorv1.ClusterService_Promote_FullMethodName, server, in, out)
	if err != nil {
		return Promoted{}, candor.Wrap("promote "+server, err)
	}
	return Promoted{
		ConfigurationIndex: k.configuration(ctx, out.GetConfigurationIndex()), VotedAlready: out.GetVotedAlready(), Transition: orElse(out.GetTransition(), ended),
	}, nil
}

func members(list []*candorv1.Member) []Member {
	out := make([]Member, 0, len(list))
	for _, m := range list {
		out = append(out, Member{
			ServerID: m.GetServerId(), Name: m.GetName(), Voter: m.GetVoter(), Leader: m.GetLeader(),
			RaftAddress: m.GetRaftAddress(), RaftEndpoint: m.GetRaftEndpoint(), APIAddress: m.GetApiAddress(), Liveness: m.GetLiveness(),
			Version: m.GetVersion(), FeatureLevel: m.GetFeatureLevel(), AppliedHint: m.AppliedHint,
		})
	}
	return out
}
