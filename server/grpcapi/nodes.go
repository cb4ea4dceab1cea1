package grpcapi

import (
	"context"

	"github.com/candor-plane/candor/fsm"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Trust is what an operator may say and do about a node's view.
type Trust interface {
	SetOperator(on bool) (changed bool, err error)
	Repair(ctx context.Context) (source string, index uint64, err error)
}

// Nodes is the node service: an operator's hand on this node alone.
type Nodes struct {
	candorv1.UnimplementedNodeServiceServer
	trust   Trust
	audit   AuditLog
	ring    GossipRing
	reader  Reader
	machine *fsm.Machine
	changes Changes
	// stopping ends streams.
	stopping <-chan struct{}
}

// NewNodes returns the service. Its streams end when stopping is closed.
func NewNodes(trust Trust, audit AuditLog, ring GossipRing, reader Reader, machine *fsm.Machine, changes Changes, stopping <-chan struct{}) *Nodes {
	if trust == nil || audit == nil || ring == nil || reader == nil || machine == nil || changes == nil || stopping == nil {
		panic("grpcapi: every dependency of the node service is required")
	}
	return &Nodes{trust: trust, audit: audit, ring: ring, reader: reader, machine: machine, changes: changes, stopping: stopping}
}

// SetViewOnly sets or ends the operator's flag.
func (s *Nodes) SetViewOnly(_ context.Context, in *candorv1.SetViewOnlyRequest) (*candorv1.SetViewOnlyResponse, error) {
	changed, err := s.trust.SetOperator(in.GetOn())
	if err != nil {
		return nil, err
	}
	return &candorv1.SetViewOnlyResponse{Changed: changed, Witness: s.witness()}, nil
}

// Repair rebuilds a quarantined view.
func (s *Nodes) Repair(ctx context.Context, _ *candorv1.RepairRequest) (*candorv1.RepairResponse, error) {
	source, index, err := s.trust.Repair(ctx)
	if err != nil {
		return nil, err
	}
	return &candorv1.RepairResponse{Source: source, VerifiedIndex: index, Witness: s.witness()}, nil
}

func (s *Nodes) witness() *candorv1.Witness { return unasked(s.reader.Witness(s.machine.View())) }
