package server

import (
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/janitor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/gossip"
)

// duties runs what only a leader does, for as long as it leads, and keeps
// hints and health words true meanwhile.
func (s *Server) duties(ctx context.Context) {
	led := &span{}
	defer led.end()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		if s.replica.Leading() {
			led.begin(ctx, func(ctx context.Context) {
				janitor.Run(ctx, &janitorStore{s}, janitor.Policy{RetainRevisions: s.config.RetainRevisions}, s.logger.Named("janitor"))
			})
		} else {
			led.end()
		}
		s.hints(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// span is a time during which something runs: at most once at a time.
type span struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (p *span) begin(ctx context.Context, run func(context.Context)) {
	if p.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	p.cancel = cancel
	p.done.Go(func() {
		run(ctx)
	})
}

func (p *span) end() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.done.Wait()
	p.cancel = nil
}

// hints tells health watchers what is proven and gossip what this server
// believes.
func (s *Server) hints(ctx context.Context) {
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
	keys, err := s.gossipKeys()
	if err != nil {
		return err
	}
	s.gossip, err = gossip.Start(ctx, gossip.Config{
		Identity: gossip.Identity{
			ClusterID: s.clusterID, ServerID: s.serverID, BootID: s.bootID, Name: s.config.Name, APIAddr: s.apiAddress,
			RaftAddr: string(s.raftAddr), DebugAddr: s.DebugAddress(), FeatureLevel: candor.FeatureLevel, Version: s.config.Version,
		},
		Keyring: keys, BindAddr: host, BindPort: port, Insecure: s.config.Insecure, Seeds: s.config.GossipSeeds, Logger: s.logger.Named("gossip"),
	})
	return err
}

// janitorStore is what the janitor sees of the root.
type janitorStore struct{ s *Server }

func (j *janitorStore) Position() (index, floor, newest uint64) {
	v := j.s.machine.View()
	return v.Token().Index, v.Floor(), v.Token().Revision
}

func (j *janitorStore) Changed(ctx context.Context, index uint64) error {
	return j.s.replica.WaitApplied(ctx, index+1)
}

func (j *janitorStore) Pending(limit int) []uint64 {
	var out []uint64
	for _, c := range j.s.machine.View().Cascades(limit) {
		out = append(out, c.ID)
	}
	return out
}

func (j *janitorStore) Page(ctx context.Context, cascade uint64) (bool, error) {
	result, err := j.propose(ctx, command.CascadePage(cascade))
	return result.Changed, err
}

func (j *janitorStore) Compact(ctx context.Context, floor uint64) error {
	_, err := j.propose(ctx, command.Compact(floor))
	return err
}

func (j *janitorStore) propose(ctx context.Context, c *command.Command) (fsm.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	result, err := j.s.proposer.Propose(ctx, c, 0)
	if err == nil {
		err = result.Err()
	}
	return result, err
}
