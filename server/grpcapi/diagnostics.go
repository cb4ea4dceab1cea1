package grpcapi

import (
	"context"

	"github.com/candor-plane/candor/fsm"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Diagnostics is the diagnostics service: this node alone, without quorum.
type Diagnostics struct {
	candorv1.UnimplementedDiagnosticsServiceServer
	machine *fsm.Machine
	reader  Reader
	node    Node
	journal Journal
	// stopping ends streams.
	stopping <-chan struct{}
}

// NewDiagnostics returns the service. Its streams end when stopping is closed.
func NewDiagnostics(machine *fsm.Machine, reader Reader, node Node, journal Journal, stopping <-chan struct{}) *Diagnostics {
	if machine == nil || reader == nil || node == nil || journal == nil || stopping == nil {
		panic("grpcapi: every dependency of the diagnostics service is required")
	}
	return &Diagnostics{machine: machine, reader: reader, node: node, journal: journal, stopping: stopping}
}

func (s *Diagnostics) witness() *candorv1.Witness {
	return unasked(s.reader.Witness(s.machine.View()))
}

// Node describes this node.
func (s *Diagnostics) Node(context.Context, *candorv1.NodeRequest) (*candorv1.NodeResponse, error) {
	out := s.node.Diagnostics()
	out.Witness = s.witness()
	return out, nil
}

// Digests lists recent state digests by index.
func (s *Diagnostics) Digests(_ context.Context, in *candorv1.DigestsRequest) (*candorv1.DigestsResponse, error) {
	out := &candorv1.DigestsResponse{Witness: s.witness()}
	for _, d := range s.machine.Digests(in.GetFromIndex()) {
		out.Digests = append(out.Digests, &candorv1.IndexDigest{Index: d.Index, Digest: d.Digest[:]})
	}
	return out, nil
}

// Records lists the turns that faults and invariants blocked.
func (s *Diagnostics) Records(context.Context, *candorv1.RecordsRequest) (*candorv1.RecordsResponse, error) {
	out := &candorv1.RecordsResponse{Witness: s.witness()}
	for _, r := range s.machine.View().Records() {
		out.Records = append(out.Records, &candorv1.TurnRecord{
			Index: r.Index, Ordinal: r.Ordinal, Reason: string(r.Reason), Invariant: r.Invariant,
			Subject: r.Subject, Actor: r.Actor, Detail: r.Detail,
		})
	}
	return out, nil
}
