package grpcapi

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Explainer says why things are as they are, on a view. MayRead is nil for an object
// that the caller may read.
type Explainer interface {
	Why(ctx context.Context, view *fsm.View, subject candor.VersionRef, actor string, mayRead func(candor.Ref) error) (*candor.Explanation, error)
	WhyNot(ctx context.Context, view *fsm.View, of candor.Ref, node string) (*candor.Explanation, error)
	// Plan is for objects that are prepared as they would be applied.
	Plan(ctx context.Context, view *fsm.View, refs []candor.Ref, objects []*candor.Object) (*candor.Plan, error)
}

// Decisions finds what was decided, and decides it again.
type Decisions interface {
	// Decision is by its ID, or with an empty one the newest about an instance.
	Decision(view *fsm.View, id string, instance candor.Ref) (*candor.Decision, candor.VersionRef, error)
	Replay(ctx context.Context, view *fsm.View, d *candor.Decision, of candor.VersionRef) (replay candor.Replay, digest string, err error)
}

// Controllers are those of this server.
type Controllers interface {
	Graph() []candor.ControllerNode
	// Reconciliations are what each of them last did about an object.
	Reconciliations(of candor.Ref) []candor.Reconciliation
}

// Explains is the explain service.
type Explains struct {
	candorv1.UnimplementedExplainServiceServer
	machine     *fsm.Machine
	reader      Reader
	kinds       Kinds
	explainer   Explainer
	decisions   Decisions
	controllers Controllers
}

// NewExplains returns the service.
func NewExplains(machine *fsm.Machine, reader Reader, kinds Kinds, explainer Explainer, decisions Decisions, controllers Controllers) *Explains {
	if machine == nil || reader == nil || kinds == nil || explainer == nil || decisions == nil || controllers == nil {
		panic("grpcapi: every dependency of the explain service is required")
	}
	return &Explains{machine: machine, reader: reader, kinds: kinds, explainer: explainer, decisions: decisions, controllers: controllers}
}

// Why explains a version, a member or a request.
func (s *Explains) Why(ctx context.Context, in *candorv1.WhyRequest) (*candorv1.WhyResponse, error) {
	subject := candor.VersionRef{Ref: candor.Ref{Kind: candor.KindName(in.GetKind()), Namespace: in.GetNamespace(), Name: in.GetName()}, Revision: in.GetRevision()}
	view, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	may := reading(ctx, view)
	if err := s.mayAsk(subject.Ref, may); err != nil {
		return nil, withWitness(err, witness)
	}
	x, err := s.explainer.Why(ctx, view, subject, ActorOf(ctx), may)
	if err != nil {
		return nil, withWitness(err, witness)
	}
	return &candorv1.WhyResponse{Explanation: convert.ExplanationToProto(shownTo(ctx, view, x)), Witness: convert.WitnessToProto(&witness)}, nil
}

// WhyNot explains why something is not on a node.
func (s *Explains) WhyNot(ctx context.Context, in *candorv1.WhyNotRequest) (*candorv1.WhyNotResponse, error) {
	of := candor.Ref{Kind: candor.KindName(in.GetKind()), Namespace: in.GetNamespace(), Name: in.GetName()}
	view, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	may := reading(ctx, view)
	if err = s.mayAsk(of, may); err == nil {
		err = may(candor.Ref{Kind: candor.KindNodes, Name: in.GetNode()})
	}
	if err != nil {
		return nil, withWitness(err, witness)
	}
	x, err := s.explainer.WhyNot(ctx, view, of, in.GetNode())
	if err != nil {
		return nil, withWitness(err, witness)
	}
	return &candorv1.WhyNotResponse{Explanation: convert.ExplanationToProto(x), Witness: convert.WitnessToProto(&witness)}, nil
}

// GetDecision is one decision, as it was stored.
func (s *Explains) GetDecision(ctx context.Context, in *candorv1.GetDecisionRequest) (*candorv1.GetDecisionResponse, error) {
	view, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	d, of, err := s.decision(ctx, view, in)
	if err != nil {
		return nil, withWitness(err, witness)
	}
	return &candorv1.GetDecisionResponse{Decision: convert.DecisionToProto(d), Version: convert.VersionRefToProto(&of), Witness: convert.WitnessToProto(&witness)}, nil
}

// ReplayDecision decides again.
func (s *Explains) ReplayDecision(ctx context.Context, in *candorv1.ReplayDecisionRequest) (*candorv1.ReplayDecisionResponse, error) {
	view, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	d, of, err := s.decision(ctx, view, in)
	if err != nil {
		return nil, withWitness(err, witness)
	}
	replay, digest, err := s.decisions.Replay(ctx, view, d, of)
	if err != nil {
		return nil, withWitness(err, witness)
	}
	return &candorv1.ReplayDecisionResponse{
		Decision: convert.DecisionToProto(d), Version: convert.VersionRefToProto(&of), Replay: convert.ReplayToProto(&replay), Digest: digest,
		Witness: convert.WitnessToProto(&witness),
	}, nil
}

// whichDecision is a request that names a decision.
type whichDecision interface {
	GetId() string
	GetNamespace() string
	GetInstance() string
}

// decision finds one that the caller may read.
func (s *Explains) decision(ctx context.Context, view *fsm.View, in whichDecision) (*candor.Decision, candor.VersionRef, error) {
	instance := candor.Ref{Kind: candor.KindInstances, Namespace: in.GetNamespace(), Name: in.GetInstance()}
	may := reading(ctx, view)
	switch {
	case (in.GetId() == "") == (in.GetInstance() == ""):
		return nil, candor.VersionRef{}, candor.Errorf(candor.ReasonInvalid, "a decision is named by its ID or by its instance: want one of them")
	case in.GetId() == "":
		if err := s.mayAsk(instance, may); err != nil {
			return nil, candor.VersionRef{}, err
		}
	}
	d, of, err := s.decisions.Decision(view, in.GetId(), instance)
	if err != nil {
		return nil, candor.VersionRef{}, err
	}
	return d, of, may(of.Ref)
}

// Graph is this server's controllers.
func (s *Explains) Graph(context.Context, *candorv1.GraphRequest) (*candorv1.GraphResponse, error) {
	return &candorv1.GraphResponse{Controllers: convert.ControllersToProto(s.controllers.Graph()), Witness: unasked(s.reader.Witness(s.machine.View()))}, nil
}

// Reconciles is what this server's controllers last did about an object.
func (s *Explains) Reconciles(ctx context.Context, in *candorv1.ReconcilesRequest) (*candorv1.ReconcilesResponse, error) {
	of := candor.Ref{Kind: candor.KindName(in.GetKind()), Namespace: in.GetNamespace(), Name: in.GetName()}
	view, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	if err := s.mayAsk(of, reading(ctx, view)); err != nil {
		return nil, withWitness(err, witness)
	}
	done := s.controllers.Reconciliations(of)
	return &candorv1.ReconcilesResponse{Reconciliations: convert.ReconciliationsToProto(done), Witness: convert.WitnessToProto(&witness)}, nil
}

// view serves a view as the read options ask. What is explained is explained as it now
// is; Why names an older version by itself.
func (s *Explains) view(ctx context.Context, o *candorv1.ReadOptions) (*fsm.View, candor.Witness, error) {
	if o.GetAtRevision() != 0 {
		return nil, candor.Witness{}, candor.Errorf(candor.ReasonInvalid, "at_revision: an explanation is of the present; name the version's own revision")
	}
	return s.reader.View(ctx, readRequest(o))
}

// reading judges reads of the caller's on the view.
func reading(ctx context.Context, view *fsm.View) func(candor.Ref) error {
	return func(ref candor.Ref) error {
		return mayRead(ctx, view, policy.Get, string(ref.Kind), ref.Namespace, ref.Name)
	}
}

// mayAsk refuses what the caller may not read, and kinds that there are not. What is
// known of members anybody is told, and of requests those of the caller.
func (s *Explains) mayAsk(ref candor.Ref, may func(candor.Ref) error) error {
	if ref.Kind == candor.SubjectMembers || ref.Kind == candor.SubjectRequests {
		return nil
	}
	if err := may(ref); err != nil {
		return err
	}
	_, err := s.kinds.ByName(ref.Kind)
	return err
}

// shownTo leaves the verdicts on nodes out where the caller may not see nodes.
func shownTo(ctx context.Context, view *fsm.View, x *candor.Explanation) *candor.Explanation {
	if len(x.Nodes)+len(x.Changes) == 0 {
		return x
	}
	err := mayRead(ctx, view, policy.List, string(candor.KindNodes), "", "")
	if err == nil {
		return x
	}
	less := *x
	less.Nodes, less.Changes = nil, nil
	less.Facts = append(append([]string(nil), x.Facts...), "what was found of each node is not yours to read: "+candor.Wrap("", err).Error())
	return &less
}
