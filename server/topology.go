package server

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// topology changes the membership on behalf of operators.
type topology struct{ s *Server }

func (t *topology) Join(ctx context.Context, in *candorv1.JoinRequest) (uint64, error) {
	configuration := t.s.replica.Configuration()
	for _, m := range t.s.machine.View().Members() {
		if m.Name == in.GetName() && m.ServerID != in.GetServerId() {
			if _, member := configuration.Find(raft.ServerID(m.ServerID)); member {
				return 0, candor.Errorf(candor.ReasonMemberExists, "join: the name %s belongs to member %s: remove that one first, or take another name", in.GetName(), m.ServerID)
			}
		}
	}
	t.s.directory.learn(in.GetServerId(), in.GetName(), in.GetApiAddress())
	return t.s.replica.Join(ctx, raft.Server{Suffrage: raft.Nonvoter, ID: raft.ServerID(in.GetServerId()), Address: raft.ServerAddress(in.GetRaftAddress())}, 0)
}

func (t *topology) Promote(ctx context.Context, server string, expected uint64) (uint64, error) {
	id, err := t.resolve(server)
	if err != nil {
		return 0, err
	}
	return t.s.replica.Promote(ctx, id, expected)
}

func (t *topology) Remove(ctx context.Context, server string, expected uint64, force bool) (uint64, error) {
	id, err := t.resolve(server)
	if err != nil {
		return 0, err
	}
	index, err := t.s.replica.Remove(ctx, id, expected, force)
	if err != nil {
		return 0, err
	}
	if t.s.gossip != nil {
		t.s.gossip.Forget(id)
	}
	// What the root was told of the server is forgotten with it. The removal
	// stands whether or not this comes through; a later join overwrites it.
	if _, err := t.s.proposer.Propose(ctx, command.Hello(id, "", "", 0), 0); err != nil {
		t.s.logger.Warn("removed server is still listed", "server", id, "error", err)
	}
	return index, nil
}

func (t *topology) TransferLeader(ctx context.Context, server string) error {
	if server == "" {
		return t.s.replica.TransferLeader(ctx, "")
	}
	id, err := t.resolve(server)
	if err != nil {
		return err
	}
	return t.s.replica.TransferLeader(ctx, id)
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
		m := &candorv1.Member{ServerId: id, Voter: server.Suffrage == raft.Voter, Leader: leader != nil && leader.ServerID == id, RaftAddress: string(server.Address)}
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

// hint adds what gossip says.
func (t *topology) hint(m *candorv1.Member) {
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
