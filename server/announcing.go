package server

import (
	"context"
	"net"
	"strconv"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/gossip"
)

// announcements keep hints and health words true.
func (s *Server) announcements(ctx context.Context) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		s.hints(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// hints counts what has ended, and tells health watchers what is proven and gossip
// what this server believes.
func (s *Server) hints(ctx context.Context) {
	s.countEnds()
	s.writes.renew(ctx)
	write := healthv1.HealthCheckResponse_NOT_SERVING
	if s.writes.proven() {
		write = healthv1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("candor.write", write)
	if s.gossip == nil {
		return
	}
	leader := s.replica.Leader()
	h := gossip.Hints{Applied: s.machine.View().Token().Index}
	if leader != nil {
		h.LeaderID, h.Term = leader.ServerID, leader.Term
	}
	configuration := s.replica.Configuration()
	for _, v := range configuration.Voters() {
		h.Voter = h.Voter || string(v.ID) == s.serverID
	}
	if err := s.gossip.Update(h); err != nil {
		s.logger.Debug("hints not announced", "error", err)
	}
	s.gossip.Expect(max(0, len(configuration.Servers)-1))
	for _, m := range s.gossip.Members() {
		if !m.Self {
			s.directory.learn(m.ServerID, m.Name, m.APIAddr)
		}
	}
}

func (s *Server) startGossip(ctx context.Context) error {
	if s.config.Gossip == "" || s.config.Seams.NoGossip {
		return nil
	}
	host, portText, err := net.SplitHostPort(s.config.Gossip)
	if err != nil {
		return candor.Errorf(candor.ReasonUsage, "server: --gossip %q: %v", s.config.Gossip, err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return candor.Errorf(candor.ReasonUsage, "server: --gossip %q: %v", s.config.Gossip, err)
	}
	if s.keyring, err = s.gossipKeys(); err != nil {
		return err
	}
	encryption, err := s.gossipEncryption()
	if err != nil {
		return err
	}
	s.gossip, err = gossip.Start(ctx, gossip.Config{
		Identity: gossip.Identity{
			ClusterID: s.gossipCluster(), ServerID: s.serverID, BootID: s.bootID, Name: s.config.Name, APIAddr: s.apiAddress,
			RaftAddr: string(s.raftAddr), DebugAddr: s.DebugAddress(), FeatureLevel: candor.FeatureLevel, Version: s.config.Version,
		},
		Keyring: s.keyring, Encryption: encryption, BindAddr: host, BindPort: port, Insecure: s.config.Insecure, Seeds: s.config.GossipSeeds, Logger: s.logger.Named("gossip"),
	})
	return err
}
