package server

import (
	"context"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/link"
)

// A server with data goes on as what it is. It is refused, before it serves or
// campaigns, where what it was told shows that the data are not meant for it.

// belong settles which history this server is of; genesis is the one with which its
// cluster began. Servers of different histories of a cluster must not speak: a majority
// of an old one, lost when the others went on without it, would take their log back.
func (s *Server) belong(genesis string) {
	if s.historyID == "" {
		s.historyID = genesis
	}
	s.past = s.clusterID
	if s.historyID != genesis {
		s.past += "/" + s.historyID
	}
}

// gossipCluster is the same in the room that gossip has for it.
func (s *Server) gossipCluster() string {
	if s.past == s.clusterID {
		return s.clusterID
	}
	return s.historyID
}

// checkCluster refuses the data of one cluster to a server that was told of
// another: by the list with which that began, or by the servers to join. Where
// none of those answers, nothing speaks against going on.
func (s *Server) checkCluster(ctx context.Context) error {
	if s.own == nil && len(s.config.InitialCluster) > 0 && s.clusterID != clusterIDOf(s.config.InitialCluster, s.config.ClusterToken) {
		return candor.Errorf(candor.ReasonDataForeign, "data directory %s belongs to cluster %s; --initial-cluster and --cluster-token describe another: give those with which the cluster began, or neither, or choose an empty directory", s.config.Data, s.clusterID)
	}
	var older error
	for _, seed := range s.config.Join {
		who, err := s.identify(ctx, seed)
		switch {
		case err != nil || who.GetHistoryId() == "":
		case who.GetClusterId() != s.clusterID:
			return candor.Errorf(candor.ReasonDataForeign, "data directory %s belongs to cluster %s; --join names %s, of cluster %s: choose an empty directory to join that one", s.config.Data, s.clusterID, seed, who.GetClusterId())
		case who.GetHistoryId() == s.historyID:
			return nil
		default: // another may be of this history: the one that answered may be what is left of an older one
			older = candor.Errorf(candor.ReasonDataForeign, "data directory %s is of history %s of its cluster; --join names %s, of history %s: the cluster was recovered without this server; choose an empty directory to join it as a new one", s.config.Data, s.historyID, seed, who.GetHistoryId())
		}
	}
	return older
}

// checkRaftAddress refuses data whose server the cluster reaches elsewhere. A copy
// beside its original would be a second voter of one name: its own vote for
// itself counts, and two leaders of one term are possible.
func (s *Server) checkRaftAddress() error {
	configured, member := s.replica.Configuration().Find(raft.ServerID(s.serverID))
	want, have := link.HostPort(configured.Address), link.HostPort(s.raftAddr)
	if !member || want == have {
		return nil
	}
	return candor.Errorf(candor.ReasonDataForeign, "data directory %s is of server %s, which its cluster reaches at %s; this one has --raft %s, and a copy beside the original could vote twice: start it with --raft %s, or join as a new server with an empty directory", s.config.Data, s.serverID, want, have, want)
}

// checkNewcomer refuses a voter that moves, and a server whose Raft address
// somebody else answers at. One that does not run yet may be added.
func (t *topology) checkNewcomer(ctx context.Context, newcomer raft.Server) error {
	if !t.s.replica.Leading() {
		return nil
	}
	member, found := t.s.replica.Configuration().Find(newcomer.ID)
	if found && member.Suffrage == raft.Voter && member.Address != newcomer.Address {
		// With its data it would not start there, and without it has forgotten
		// what it voted for and acknowledged.
		return candor.Errorf(candor.ReasonMemberExists, "join: server %s votes at %s and does not move to %s: remove it, and join with an empty directory", newcomer.ID, link.HostPort(member.Address), link.HostPort(newcomer.Address))
	}
	ctx, cancel := context.WithTimeout(ctx, t.s.config.Settings.ConfirmTimeout)
	defer cancel()
	_, err := t.s.layer.Ask(ctx, newcomer, link.Question{})
	if candor.ReasonOf(err) == candor.ReasonClusterMismatch {
		return candor.Wrap("join", err)
	}
	return nil
}

// raftAddress is a server's as raft knows it, from how people write it.
func (s *Server) raftAddress(serverID, address string) raft.ServerAddress {
	if s.config.Seams.Transport != nil {
		return raft.ServerAddress(address)
	}
	return link.Address(serverID, link.HostPort(raft.ServerAddress(address)))
}
