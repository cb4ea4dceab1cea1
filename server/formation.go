package server

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"
	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Formation is how a server without a history becomes part of a cluster.
// Nothing that gossip says decides it.
//
// Of an initial cluster only the first server by name bootstraps, once it has
// learnt the server IDs of all the others from themselves; the others wait for
// it. So there is one first configuration, whatever happens meanwhile.

const (
	formationRetry = 200 * time.Millisecond
	// strandedAfter is how long a server with an empty directory may see its
	// initial cluster run without it.
	strandedAfter = 15 * time.Second
)

// clusterIDOf is the hash of the list and the token.
func clusterIDOf(members []InitialMember, token string) string {
	lines := make([]string, 0, len(members))
	for _, m := range members {
		lines = append(lines, m.Name+"="+m.RaftAddress+"="+m.APIAddress)
	}
	slices.Sort(lines)
	h := xxh3.HashString128(strings.Join(lines, "\n") + "\n" + token).Bytes()
	return hex.EncodeToString(h[:])
}

// form runs until the server is part of a cluster or the context ends.
func (s *Server) form(ctx context.Context) error {
	if len(s.replica.Configuration().Servers) > 0 {
		return nil
	}
	switch {
	case s.config.Bootstrap:
		return s.replica.Bootstrap([]raft.Server{s.self()})
	case len(s.config.InitialCluster) > 0:
		return s.formInitial(ctx)
	case len(s.config.Join) > 0:
		return s.join(ctx)
	default:
		return candor.Errorf(candor.ReasonUsage, "server %s has an empty data directory and was not told how to begin: pass --initial-cluster, --bootstrap or --join", s.config.Name)
	}
}

func (s *Server) formInitial(ctx context.Context) error {
	members := slices.Clone(s.config.InitialCluster)
	slices.SortFunc(members, func(a, b InitialMember) int { return strings.Compare(a.Name, b.Name) })
	if !slices.ContainsFunc(members, func(m InitialMember) bool { return m.Name == s.config.Name }) {
		return candor.Errorf(candor.ReasonUsage, "server %s is not in its own --initial-cluster", s.config.Name)
	}
	if len(members) == 1 {
		return s.replica.Bootstrap([]raft.Server{s.self()})
	}
	servers, err := s.gather(ctx, members)
	if err != nil || len(s.replica.Configuration().Servers) > 0 {
		return err
	}
	if members[0].Name == s.config.Name {
		return s.replica.Bootstrap(servers)
	}
	return nil
}

// gather learns every member's server ID from itself. It ends early when this
// server has been taken in meanwhile.
func (s *Server) gather(ctx context.Context, members []InitialMember) ([]raft.Server, error) {
	servers := make([]raft.Server, 0, len(members))
	var running time.Time
	for _, m := range members {
		if m.Name == s.config.Name {
			servers = append(servers, s.self())
			continue
		}
		for {
			who, err := s.identify(ctx, m.APIAddress)
			if len(s.replica.Configuration().Servers) > 0 {
				return nil, nil
			}
			if err == nil && who.GetClusterId() != s.clusterID {
				return nil, candor.Errorf(candor.ReasonClusterMismatch, "server at %s belongs to cluster %s; this initial cluster is %s: the lists or tokens differ, or the port is another cluster's", m.APIAddress, who.GetClusterId(), s.clusterID)
			}
			if err == nil && who.GetHistoryId() != "" {
				// The cluster runs already. Either it is about to take this
				// server in, or this server was wiped.
				if running.IsZero() {
					running = time.Now()
				}
				if time.Since(running) > strandedAfter {
					return nil, candor.Errorf(candor.ReasonDataForeign, "the cluster runs already and does not know this server, whose data directory is empty: a wiped disk is a new member; remove server %s there, and start this one with --join and without --initial-cluster", s.config.Name)
				}
				err = candor.Errorf(candor.ReasonUnavailable, "the cluster runs already")
			}
			if err == nil {
				servers = append(servers, raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(who.GetServerId()), Address: raft.ServerAddress(who.GetRaftAddress())})
				break
			}
			if err := pause(ctx); err != nil {
				return nil, err
			}
		}
	}
	return servers, nil
}

// identify asks the server at an API address who it is, and remembers it.
func (s *Server) identify(ctx context.Context, address string) (*candorv1.IdentifyResponse, error) {
	c, err := s.directory.connection(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	out, err := candorv1.NewPeerServiceClient(c).Identify(ctx, &candorv1.IdentifyRequest{})
	if err != nil {
		return nil, convert.ErrorFromStatus(err)
	}
	s.directory.learn(out.GetServerId(), out.GetName(), out.GetApiAddress())
	return out, nil
}

// clusterToJoin asks the seeds which cluster they are of, and which history of it. With
// certificates it is theirs, or CLUSTER_MISMATCH.
func (s *Server) clusterToJoin(ctx context.Context) (id, history string, err error) {
	var last error
	told := ""
	for {
		for _, seed := range s.config.Join {
			who, err := s.identify(ctx, seed)
			if err == nil && who.GetHistoryId() != "" {
				return who.GetClusterId(), who.GetHistoryId(), s.provesCluster(seed, who.GetClusterId())
			}
			if last = err; err != nil && told != err.Error() { // once for each thing that is in the way
				told = err.Error()
				s.logger.Warn("a seed of the cluster to join does not answer", "seed", seed, "error", err)
			}
		}
		if err := pause(ctx); err != nil {
			return "", "", candor.Errorf(candor.ReasonUnavailable, "join: none of %s answered as a member of a cluster: %w", strings.Join(s.config.Join, ", "), last)
		}
	}
}

func (s *Server) provesCluster(address, cluster string) error {
	if s.own == nil || s.own.Material().Cluster == cluster {
		return nil
	}
	return candor.Errorf(candor.ReasonClusterMismatch, "the server at %s is of cluster %s; --tls-cert is of cluster %s", address, cluster, s.own.Material().Cluster)
}

// join asks for membership until a leader grants it. The server starts as a
// non-voter.
//
// A token is gone once its server has joined. Where an answer was lost, a later
// refusal may mean that, and the log says who is a member.
func (s *Server) join(ctx context.Context) error {
	in := &candorv1.JoinRequest{
		ServerId: s.serverID, Name: s.config.Name, RaftAddress: string(s.self().Address), ApiAddress: s.apiAddress,
		ClusterId: s.clusterID, FeatureLevel: candor.FeatureLevel,
	}
	if s.joinToken != (candor.Bearer{}) {
		in.JoinToken = s.joinToken.String()
	}
	targets := slices.Clone(s.config.Join)
	unheard := false
	told := ""
	for i := 0; ; i++ {
		hint, err := s.askToJoin(ctx, targets[i%len(targets)], in)
		if err == nil {
			return nil
		}
		reason := candor.ReasonOf(err)
		switch reason.Disposition().Retry {
		case candor.RetryNever:
			if unheard && reason == candor.ReasonUnauthenticated && s.becomesMember(ctx) {
				return nil
			}
			return err
		default:
			unheard = unheard || reason != candor.ReasonNotLeader
			if hint != "" && !slices.Contains(targets, hint) {
				targets = append(targets, hint)
			}
		}
		if told != err.Error() { // once for each thing that is in the way
			told = err.Error()
			s.logger.Warn("join not granted yet", "target", targets[i%len(targets)], "error", err)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// becomesMember waits until this server's log has a configuration, as long as a
// leader may take to send it.
func (s *Server) becomesMember(ctx context.Context) bool {
	for began := time.Now(); time.Since(began) < strandedAfter; {
		if len(s.replica.Configuration().Servers) > 0 {
			return true
		}
		if pause(ctx) != nil {
			return false
		}
	}
	return false
}

func (s *Server) askToJoin(ctx context.Context, target string, in *candorv1.JoinRequest) (hint string, err error) {
	if in.GetJoinToken() != "" {
		if err := s.config.mayCarryToken(target); err != nil {
			return "", err
		}
	}
	c, err := s.directory.connection(target)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := candorv1.NewClusterServiceClient(c).Join(ctx, in)
	if err != nil {
		err = convert.ErrorFromStatus(err)
		var e *candor.Error
		if asError(err, &e) && e.Leader != nil {
			hint = e.Leader.Address
		}
		return hint, err
	}
	for _, m := range out.GetMembers() {
		s.directory.learn(m.GetServerId(), m.GetName(), m.GetApiAddress())
	}
	return "", nil
}

// announce keeps what the root knows of this server true: its name, address
// and feature level.
func (s *Server) announce(ctx context.Context) {
	for ctx.Err() == nil {
		if s.announced() {
			return
		}
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		result, err := s.proposer.Propose(attempt, command.Hello(s.serverID, s.config.Name, s.apiAddress, candor.FeatureLevel), 0)
		cancel()
		if err == nil {
			err = result.Err()
		}
		if err == nil {
			return
		}
		s.logger.Debug("announcement not taken yet", "error", err)
		if pause(ctx) != nil {
			return
		}
	}
}

func (s *Server) announced() bool {
	for _, m := range s.machine.View().Members() {
		if m.ServerID == s.serverID {
			return m.Name == s.config.Name && m.APIAddress == s.apiAddress && m.Level == candor.FeatureLevel
		}
	}
	return false
}

// pause waits before the next attempt.
func pause(ctx context.Context) error {
	timer := time.NewTimer(formationRetry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
