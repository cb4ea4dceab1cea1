package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	members "github.com/candor-plane/candor/coordinator/topology"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server/gossip"
	"github.com/candor-plane/candor/server/grpcapi"
	"github.com/candor-plane/candor/server/link"
)

// topology changes the membership on behalf of operators.
type topology struct{ s *Server }

func (t *topology) Join(ctx context.Context, in *candorv1.JoinRequest, admit func(context.Context) error) (grpcapi.Change, error) {
	configuration := t.s.replica.Configuration()
	for _, m := range t.s.machine.View().Members() {
		if m.Name == in.GetName() && m.ServerID != in.GetServerId() {
			if _, member := configuration.Find(raft.ServerID(m.ServerID)); member {
				return grpcapi.Change{}, candor.Errorf(candor.ReasonMemberExists, "join: the name %s belongs to member %s: remove that one first, or take another name", in.GetName(), m.ServerID)
			}
		}
	}
	newcomer := raft.Server{
		Suffrage: raft.Nonvoter, ID: raft.ServerID(in.GetServerId()),
		Address: t.s.raftAddress(in.GetServerId(), in.GetRaftAddress()),
	}
	if err := t.checkNewcomer(ctx, newcomer); err != nil {
		return grpcapi.Change{}, err
	}
	if admit != nil {
		// A token lets a server join, and moves none that is a member.
		if member, found := configuration.Find(newcomer.ID); found && member.Address != newcomer.Address {
			return grpcapi.Change{}, candor.Errorf(candor.ReasonMemberExists, "join: server %s is a member at %s, and a token does not move it", newcomer.ID, link.HostPort(member.Address))
		}
		if err := admit(ctx); err != nil {
			return grpcapi.Change{}, err
		}
	}
	t.s.directory.learn(in.GetServerId(), in.GetName(), in.GetApiAddress())
	return t.change(ctx, members.Change{Kind: members.Add, Server: string(newcomer.ID), Address: string(newcomer.Address)}, 0, false)
}

func (t *topology) Promote(ctx context.Context, server string, expected uint64) (grpcapi.Change, error) {
	id, err := t.resolve(server)
	if err != nil {
		return grpcapi.Change{}, err
	}
	return t.change(ctx, members.Change{Kind: members.Promote, Server: id}, expected, false)
}

func (t *topology) Remove(ctx context.Context, server string, expected uint64, force bool) (grpcapi.Change, error) {
	id, err := t.resolve(server)
	if err != nil {
		return grpcapi.Change{}, err
	}
	return t.change(ctx, members.Change{Kind: members.Remove, Server: id}, expected, force)
}

func (t *topology) Replace(ctx context.Context, server, with string, expected uint64, force bool) (grpcapi.Change, error) {
	id, err := t.resolve(server)
	if err != nil {
		return grpcapi.Change{}, err
	}
	newcomer, err := t.resolve(with)
	if err != nil {
		return grpcapi.Change{}, err
	}
	return t.change(ctx, members.Change{Kind: members.Replace, Server: id, With: newcomer}, expected, force)
}

func (t *topology) TransferLeader(ctx context.Context, server string) (grpcapi.Change, *candor.LeaderHint, error) {
	id := ""
	if server != "" {
		var err error
		if id, err = t.resolve(server); err != nil {
			return grpcapi.Change{}, nil, err
		}
	}
	if id == t.s.serverID && t.s.replica.Leading() {
		return grpcapi.Change{}, nil, candor.Errorf(candor.ReasonInvalid, "transfer leader: server %s leads already", server)
	}
	change, err := t.change(ctx, members.Change{Kind: members.Transfer, Server: id}, 0, false)
	if err != nil {
		return change, nil, err
	}
	return change, t.successor(ctx), nil
}

// successor waits, for an election and no longer, until this server hears from
// who leads now.
func (t *topology) successor(ctx context.Context) *candor.LeaderHint {
	ctx, cancel := context.WithTimeout(ctx, 4*t.s.config.Settings.Election)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		if hint := t.s.leader(); hint != nil && hint.ServerID != t.s.serverID {
			return hint
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// resolve finds a member by ID or name.
func (t *topology) resolve(server string) (string, error) {
	var names []string
	members, _ := t.Members()
	for _, m := range members {
		if m.GetServerId() == server || m.GetName() == server {
			return m.GetServerId(), nil
		}
		names = append(names, m.GetName())
	}
	return "", candor.Errorf(candor.ReasonNotAMember, "server %q is not a member; members are %s", server, strings.Join(names, ", "))
}

// Members is the configuration with what is known of each server.
func (t *topology) Members() ([]*candorv1.Member, uint64) {
	configuration := t.s.replica.Configuration()
	leader := t.s.replica.Leader()
	var out []*candorv1.Member
	for _, server := range configuration.Servers {
		id := string(server.ID)
		m := &candorv1.Member{ServerId: id, Voter: server.Suffrage == raft.Voter, Leader: leader != nil && leader.ServerID == id, RaftAddress: string(server.Address), RaftEndpoint: link.HostPort(server.Address)}
		m.Name, m.ApiAddress = t.s.whereIs(id)
		for _, known := range t.s.machine.View().Members() {
			if known.ServerID == id {
				m.FeatureLevel = known.Level
			}
		}
		t.hint(m)
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *candorv1.Member) int {
		return strings.Compare(a.GetName()+a.GetServerId(), b.GetName()+b.GetServerId())
	})
	return out, configuration.Index
}

// livenessUnknown is of a member that gossip has not heard of.
const livenessUnknown = "UNKNOWN"

// hint adds what gossip says. Of itself this server knows without it.
func (t *topology) hint(m *candorv1.Member) {
	m.Liveness = livenessUnknown
	if m.GetServerId() == t.s.serverID {
		m.Liveness, m.Version = string(gossip.StateAlive), t.s.config.Version
	}
	if t.s.gossip == nil {
		return
	}
	known, ok := t.s.gossip.Lookup(m.GetServerId())
	if !ok {
		return
	}
	m.Liveness, m.Version = string(known.State), known.Version
	if applied := known.Applied; applied > 0 {
		m.AppliedHint = &applied
	}
	if m.GetApiAddress() == "" {
		m.ApiAddress = known.APIAddr
	}
	if m.GetName() == "" {
		m.Name = known.Name
	}
}
