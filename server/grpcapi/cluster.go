package grpcapi

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Topology changes who is a member. It runs on the leader; elsewhere it
// refuses with NOT_LEADER and a hint. An error of reason OUTCOME_UNKNOWN whose subject
// is a transition says that the change goes on as that.
type Topology interface {
	// Join calls admit, unless it is nil, once nothing that this server knows stands
	// in the way; its error is Join's, and nothing is changed then.
	Join(ctx context.Context, in *candorv1.JoinRequest, admit func(context.Context) error) (Change, error)
	Promote(ctx context.Context, server string, expected uint64) (Change, error)
	Remove(ctx context.Context, server string, expected uint64, force bool) (Change, error)
	Replace(ctx context.Context, server, with string, expected uint64, force bool) (Change, error)
	// TransferLeader also returns who leads then; nil where that was not heard in time.
	TransferLeader(ctx context.Context, server string) (Change, *candor.LeaderHint, error)
}

// Change is a change of the members that has ended.
type Change struct {
	// Configuration is the index of the configuration that it left.
	Configuration uint64
	// Transition is what it was; empty where it was so already.
	Transition string
}

// Node describes this server.
type Node interface {
	// Status fills everything but the witness.
	Status() *candorv1.StatusResponse
	// Diagnostics fills everything but the witness.
	Diagnostics() *candorv1.NodeResponse
	// ClusterTime is what this node would stamp an entry with now; nil when it
	// does not lead.
	ClusterTime() *int64
	// Members are those of the configuration as this node knows it.
	Members() (members []*candorv1.Member, configurationIndex uint64)
}

// Cluster is the cluster service.
type Cluster struct {
	candorv1.UnimplementedClusterServiceServer
	machine  *fsm.Machine
	reader   Reader
	proposer Proposer
	kinds    Kinds
	topology Topology
	node     Node
}

// NewCluster returns the service.
func NewCluster(machine *fsm.Machine, reader Reader, proposer Proposer, kinds Kinds, topology Topology, node Node) *Cluster {
	if machine == nil || reader == nil || proposer == nil || kinds == nil || topology == nil || node == nil {
		panic("grpcapi: every dependency of the cluster service is required")
	}
	return &Cluster{machine: machine, reader: reader, proposer: proposer, kinds: kinds, topology: topology, node: node}
}

func (s *Cluster) witness() *candorv1.Witness {
	w := s.reader.Witness(s.machine.View())
	return convert.WitnessToProto(&w)
}

// unasked is the witness of an answer that comes from this node's view alone,
// without asking anyone.
func unasked(w candor.Witness) *candorv1.Witness {
	freshness.AsBestEffort(&w)
	return convert.WitnessToProto(&w)
}

// Status answers from this node alone.
func (s *Cluster) Status(context.Context, *candorv1.StatusRequest) (*candorv1.StatusResponse, error) {
	out := s.node.Status()
	out.Witness, out.ClusterTime = unasked(s.reader.Witness(s.machine.View())), s.node.ClusterTime()
	return out, nil
}

// Members lists the configuration as this node knows it, with gossip's hints.
func (s *Cluster) Members(context.Context, *candorv1.MembersRequest) (*candorv1.MembersResponse, error) {
	members, index := s.node.Members()
	return &candorv1.MembersResponse{
		Members: members, ConfigurationIndex: index, Witness: unasked(s.reader.Witness(s.machine.View())), ClusterTime: s.node.ClusterTime(),
	}, nil
}

// Join adds a non-voter.
func (s *Cluster) Join(ctx context.Context, in *candorv1.JoinRequest) (*candorv1.JoinResponse, error) {
	if in.GetServerId() == "" || in.GetRaftAddress() == "" || in.GetApiAddress() == "" || in.GetName() == "" {
		return nil, candor.Errorf(candor.ReasonInvalid, "join: server ID, name, Raft address and API address are required")
	}
	p := PrincipalOf(ctx)
	if isServer(p) && p.Actor != serverActor+in.GetServerId() {
		return nil, candor.Errorf(candor.ReasonForbidden, "join: the certificate is of %s; a server joins for itself alone", p.Actor)
	}
	var token *joinToken
	var admit func(context.Context) error
	if in.GetJoinToken() != "" {
		var err error
		if token, err = s.examined(ctx, in); err != nil {
			return nil, err
		}
		admit = func(ctx context.Context) error { return s.spend(ctx, in, token) }
	}
	view := s.machine.View()
	switch {
	case in.GetClusterId() != "" && in.GetClusterId() != view.ClusterID():
		return nil, candor.Errorf(candor.ReasonClusterMismatch, "join: server %s belongs to cluster %s; this is cluster %s", in.GetName(), in.GetClusterId(), view.ClusterID())
	case in.GetFeatureLevel() < view.Level():
		return nil, candor.Errorf(candor.ReasonFeatureLevel, "join: server %s supports feature level %d; the cluster is at %d: run a newer build", in.GetName(), in.GetFeatureLevel(), view.Level())
	}
	if !isServer(p) && token == nil {
		if err := s.authorize(ctx, policy.Create, policy.Members, in.GetName()); err != nil {
			return nil, err
		}
	}
	change, err := s.topology.Join(ctx, in, admit)
	if err != nil {
		return nil, err
	}
	if token != nil {
		s.forget(ctx, in, token)
	}
	members, _ := s.node.Members()
	return &candorv1.JoinResponse{ClusterId: view.ClusterID(), HistoryId: view.HistoryID(), ConfigurationIndex: change.Configuration, Transition: change.Transition, Members: members, Witness: s.witness()}, nil
}

func (s *Cluster) authorize(ctx context.Context, verb policy.Verb, kind, name string) error {
	return authorize(ctx, s.machine, s.proposer, policy.Ask{Verb: verb, Kind: kind, Name: name})
}

// Promote makes a caught-up non-voter vote.
func (s *Cluster) Promote(ctx context.Context, in *candorv1.PromoteRequest) (*candorv1.PromoteResponse, error) {
	change, err := s.topology.Promote(ctx, in.GetServer(), in.GetExpectedConfigurationIndex())
	if err != nil {
		return nil, err
	}
	return &candorv1.PromoteResponse{ConfigurationIndex: change.Configuration, VotedAlready: change.Transition == "", Transition: change.Transition, Witness: s.witness()}, nil
}

// Replace brings a member in for another.
func (s *Cluster) Replace(ctx context.Context, in *candorv1.ReplaceRequest) (*candorv1.ReplaceResponse, error) {
	change, err := s.topology.Replace(ctx, in.GetServer(), in.GetWith(), in.GetExpectedConfigurationIndex(), in.GetForce())
	if err != nil {
		return nil, err
	}
	return &candorv1.ReplaceResponse{ConfigurationIndex: change.Configuration, Transition: change.Transition, Witness: s.witness()}, nil
}

// Remove takes a server out of the configuration.
func (s *Cluster) Remove(ctx context.Context, in *candorv1.RemoveRequest) (*candorv1.RemoveResponse, error) {
	change, err := s.topology.Remove(ctx, in.GetServer(), in.GetExpectedConfigurationIndex(), in.GetForce())
	if err != nil {
		return nil, err
	}
	return &candorv1.RemoveResponse{ConfigurationIndex: change.Configuration, Transition: change.Transition, Witness: s.witness()}, nil
}

// TransferLeader hands leadership to another voter.
func (s *Cluster) TransferLeader(ctx context.Context, in *candorv1.TransferLeaderRequest) (*candorv1.TransferLeaderResponse, error) {
	change, leader, err := s.topology.TransferLeader(ctx, in.GetServer())
	if err != nil {
		return nil, err
	}
	return &candorv1.TransferLeaderResponse{Leader: convert.LeaderHintToProto(leader), Transition: change.Transition, Witness: s.witness()}, nil
}

const (
	// snapshotChunk is the size of one message of a snapshot stream.
	snapshotChunk = 256 << 10
	// snapshotRate bounds a stream in bytes per second: writes go on beside it.
	snapshotRate = 64 << 20
)

// Snapshot streams this node's published state.
func (s *Cluster) Snapshot(_ *candorv1.SnapshotRequest, stream grpc.ServerStreamingServer[candorv1.SnapshotResponse]) error {
	snapshot := s.machine.Snapshot()
	defer snapshot.Release()
	w := &chunkWriter{stream: stream, began: time.Now(), next: &candorv1.SnapshotResponse{
		Token: convert.TokenToProto(snapshot.Token()), EstimatedBytes: snapshot.EstimatedBytes(), Witness: s.witness(),
	}}
	if _, err := snapshot.WriteTo(w); err != nil {
		return err
	}
	return w.flush()
}

// chunkWriter cuts a stream into messages, no faster than snapshotRate.
type chunkWriter struct {
	stream grpc.ServerStreamingServer[candorv1.SnapshotResponse]
	next   *candorv1.SnapshotResponse
	began  time.Time
	sent   int
}

func (w *chunkWriter) Write(p []byte) (int, error) {
	w.next.Chunk = append(w.next.Chunk, p...)
	if len(w.next.GetChunk()) < snapshotChunk {
		return len(p), nil
	}
	return len(p), w.flush()
}

func (w *chunkWriter) flush() error {
	chunk := w.next.GetChunk()
	if len(chunk) == 0 {
		return nil
	}
	if err := w.stream.Send(w.next); err != nil {
		return err
	}
	// Send has copied it.
	w.sent += len(chunk)
	w.next = &candorv1.SnapshotResponse{Chunk: chunk[:0]}
	due := time.Duration(float64(w.sent) / snapshotRate * float64(time.Second))
	if ahead := due - time.Since(w.began); ahead > 0 {
		timer := time.NewTimer(ahead)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-w.stream.Context().Done():
			return w.stream.Context().Err()
		}
	}
	return nil
}

// Compact raises the floor.
func (s *Cluster) Compact(ctx context.Context, in *candorv1.CompactRequest) (*candorv1.CompactResponse, error) {
	if in.GetRevision() == 0 {
		return nil, candor.Errorf(candor.ReasonInvalid, "compact: say which revision becomes the floor")
	}
	if err := carryOut(ctx, s.proposer, command.Compact(in.GetRevision())); err != nil {
		return nil, err
	}
	return &candorv1.CompactResponse{Floor: s.machine.View().Floor(), Witness: s.witness()}, nil
}

// RaiseFeatureLevel raises the level that turns branch on.
func (s *Cluster) RaiseFeatureLevel(ctx context.Context, in *candorv1.RaiseFeatureLevelRequest) (*candorv1.RaiseFeatureLevelResponse, error) {
	if in.GetLevel() > candor.FeatureLevel {
		return nil, candor.Errorf(candor.ReasonFeatureLevel, "this build supports feature level %d, not %d", candor.FeatureLevel, in.GetLevel())
	}
	if err := s.membersHaveSpoken(); err != nil {
		return nil, err
	}
	if err := carryOut(ctx, s.proposer, command.RaiseLevel(in.GetLevel())); err != nil {
		return nil, err
	}
	return &candorv1.RaiseFeatureLevelResponse{Level: s.machine.View().Level(), Witness: s.witness()}, nil
}

// membersHaveSpoken refuses while a member of the configuration has not said
// which level it supports.
func (s *Cluster) membersHaveSpoken() error {
	said := map[string]bool{}
	for _, m := range s.machine.View().Members() {
		said[m.ServerID] = true
	}
	members, _ := s.node.Members()
	for _, m := range members {
		if !said[m.GetServerId()] {
			return candor.Errorf(candor.ReasonFeatureLevel, "server %s has not said which feature level it supports: wait until it has joined", m.GetName())
		}
	}
	return nil
}
