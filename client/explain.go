package client

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Explained is an explanation and the witness of the view that it was found on.
type Explained struct {
	Explanation *candor.Explanation
	Witness     candor.Witness
}

// Decided is a decision and the version of its instance that it is stored with.
type Decided struct {
	Decision *candor.Decision  `json:"decision"`
	Version  candor.VersionRef `json:"version"`
	Witness  candor.Witness    `json:"witness"`
}

// Replayed is a decision that was taken again.
type Replayed struct {
	Decided
	Replay candor.Replay `json:"replay"`
	// Digest is what the replay came to, to be compared with the decision's; empty where
	// it could not be done.
	Digest string `json:"replayDigest,omitempty"`
}

// Planned is a plan and the witness of the view that it is for.
type Planned struct {
	Plan    *candor.Plan
	Witness candor.Witness
}

// Why explains a version of an object (revision 0: the newest), a member
// (candor.SubjectMembers), or a request of the caller's own actor
// (candor.SubjectRequests). It is a read: without options the answer is STRONG.
func (c *Client) Why(ctx context.Context, subject candor.VersionRef, options ...ReadOption) (*Explained, error) {
	in := &candorv1.WhyRequest{Kind: string(subject.Kind), Namespace: subject.Namespace, Name: subject.Name, Revision: subject.Revision}
	out := new(candorv1.WhyResponse)
	w, err := c.inquiry(ctx, candorv1.ExplainService_Why_FullMethodName, in, &in.Read, out, options)
	if err != nil {
		return nil, candor.Wrap("why "+subject.String(), err)
	}
	return explained(subject.String(), out.GetExplanation(), w)
}

// WhyNot explains why an instance, or the next instance of a workload, is not on a
// node, or would not go there.
func (c *Client) WhyNot(ctx context.Context, of candor.Ref, node string, options ...ReadOption) (*Explained, error) {
	in := &candorv1.WhyNotRequest{Kind: string(of.Kind), Namespace: of.Namespace, Name: of.Name, Node: node}
	out := new(candorv1.WhyNotResponse)
	w, err := c.inquiry(ctx, candorv1.ExplainService_WhyNot_FullMethodName, in, &in.Read, out, options)
	if err != nil {
		return nil, candor.Wrap("why not "+of.String()+" on "+node, err)
	}
	return explained(of.String(), out.GetExplanation(), w)
}

func explained(subject string, p *candorv1.Explanation, w *candor.Witness) (*Explained, error) {
	x := convert.ExplanationFromProto(p)
	if x == nil {
		return nil, breach(subject, "asked why %s, a node answered without an explanation", subject)
	}
	return &Explained{Explanation: x, Witness: *w}, nil
}

// WhichDecision names a decision: by ID, or the newest about an instance.
type WhichDecision struct {
	ID       string
	Instance candor.Ref
}

func (d *WhichDecision) String() string {
	if d.ID != "" {
		return d.ID
	}
	return d.Instance.String()
}

// Decision reads a decision as it was stored.
func (c *Client) Decision(ctx context.Context, which WhichDecision, options ...ReadOption) (*Decided, error) {
	in := &candorv1.GetDecisionRequest{Id: which.ID, Namespace: which.Instance.Namespace, Instance: which.Instance.Name}
	out := new(candorv1.GetDecisionResponse)
	w, err := c.inquiry(ctx, candorv1.ExplainService_GetDecision_FullMethodName, in, &in.Read, out, options)
	if err != nil {
		return nil, candor.Wrap("decision "+which.String(), err)
	}
	return decided(&which, out.GetDecision(), out.GetVersion(), w)
}

func decided(which *WhichDecision, p *candorv1.Decision, version *candorv1.ObjectVersionRef, w *candor.Witness) (*Decided, error) {
	d, of := convert.DecisionFromProto(p), convert.VersionRefFromProto(version)
	if d == nil || of == nil {
		return nil, breach(which.String(), "asked for decision %s, a node answered without it", which)
	}
	return &Decided{Decision: d, Version: *of, Witness: *w}, nil
}

// ReplayDecision has a decision taken once more, on the state that it was taken on.
func (c *Client) ReplayDecision(ctx context.Context, which WhichDecision, options ...ReadOption) (*Replayed, error) {
	in := &candorv1.ReplayDecisionRequest{Id: which.ID, Namespace: which.Instance.Namespace, Instance: which.Instance.Name}
	out := new(candorv1.ReplayDecisionResponse)
	w, err := c.inquiry(ctx, candorv1.ExplainService_ReplayDecision_FullMethodName, in, &in.Read, out, options)
	if err != nil {
		return nil, candor.Wrap("replay decision "+which.String(), err)
	}
	d, err := decided(&which, out.GetDecision(), out.GetVersion(), w)
	if err != nil {
		return nil, err
	}
	replay := convert.ReplayFromProto(out.GetReplay())
	if replay == nil {
		return nil, breach(which.String(), "asked to replay decision %s, a node answered without a replay", &which)
	}
	return &Replayed{Decided: *d, Replay: *replay, Digest: out.GetDigest()}, nil
}

// Plan says what would come of objects if they were applied now, each as it would be
// sent to Create or Update, with its namespace. Nothing is changed.
func (c *Client) Plan(ctx context.Context, objects []*candor.Object, options ...ReadOption) (*Planned, error) {
	in := &candorv1.PlanRequest{}
	for _, o := range objects {
		in.Objects = append(in.Objects, convert.ObjectToProto(o))
	}
	out := new(candorv1.PlanResponse)
	w, err := c.inquiry(ctx, candorv1.ExplainService_Plan_FullMethodName, in, &in.Read, out, options)
	if err == nil && out.GetPlan() == nil {
		err = breach("plan", "asked for a plan, a node answered without one")
	}
	if err != nil {
		return nil, candor.Wrap("plan", err)
	}
	return &Planned{Plan: convert.PlanFromProto(out.GetPlan()), Witness: *w}, nil
}

// Reconciled is what the controllers of one server last did about an object.
type Reconciled struct {
	Reconciliations []candor.Reconciliation `json:"reconciliations"`
	Witness         candor.Witness          `json:"witness"`
}

// Reconciles asks one server: with OnEndpoint that one, which should be the holder of
// duty controllers (see Tenures), as others do nothing about objects.
func (c *Client) Reconciles(ctx context.Context, of candor.Ref, options ...ReadOption) (*Reconciled, error) {
	in := &candorv1.ReconcilesRequest{Kind: string(of.Kind), Namespace: of.Namespace, Name: of.Name}
	out := new(candorv1.ReconcilesResponse)
	w, err := c.inquiry(ctx, candorv1.ExplainService_Reconciles_FullMethodName, in, &in.Read, out, options)
	if err != nil {
		return nil, candor.Wrap("reconciles of "+of.String(), err)
	}
	return &Reconciled{Reconciliations: convert.ReconciliationsFromProto(out.GetReconciliations()), Witness: *w}, nil
}

// ControllerGraph is the controllers of one server.
type ControllerGraph struct {
	Controllers []candor.ControllerNode `json:"controllers"`
	Witness     *candor.Witness         `json:"witness,omitempty"`
}

// Graph asks who is known to lead, else any node, or with OnEndpoint that one. Of the
// options only that and WithoutSession apply: the answer is the node's own word.
func (c *Client) Graph(ctx context.Context, options ...ReadOption) (*ControllerGraph, error) {
	out := new(candorv1.GraphResponse)
	w, err := c.Cluster().askAt(ctx, toLeader, candorv1.ExplainService_Graph_FullMethodName, &candorv1.GraphRequest{}, out, options)
	if err != nil {
		return nil, candor.Wrap("controllers' graph", err)
	}
	return &ControllerGraph{Controllers: convert.ControllersFromProto(out.GetControllers()), Witness: w}, nil
}
