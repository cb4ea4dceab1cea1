package cli_test

import (
	"context"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// explaining is what every server says of why.
type explaining struct {
	shelf *shelf
	// of are the explanations by subject, plan and decision what is told of those, did
	// what controllers did.
	of       map[string]*candor.Explanation
	plan     *candor.Plan
	decision *candor.Decision
	replay   candor.Replay
	did      []candor.Reconciliation
}

func (e *explaining) Why(_ context.Context, subject candor.VersionRef, _ ...client.ReadOption) (*client.Explained, error) {
	if err := e.shelf.refuse("why"); err != nil {
		return nil, err
	}
	x := e.of[subject.String()]
	if x == nil {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: subject.String(), Message: subject.String() + " does not exist"}
	}
	return &client.Explained{Explanation: x, Witness: e.shelf.witness()}, nil
}

func (e *explaining) WhyNot(_ context.Context, of candor.Ref, node string, _ ...client.ReadOption) (*client.Explained, error) {
	if err := e.shelf.refuse("why-not"); err != nil {
		return nil, err
	}
	return &client.Explained{Witness: e.shelf.witness(), Explanation: &candor.Explanation{
		Subject: candor.VersionRef{Ref: of}, Headline: of.String() + " would not go to " + node,
		Nodes: []candor.NodeVerdict{{Nodes: []string{node}, Reasons: []candor.Misfit{{Reason: "InsufficientMemory", Need: "4Gi", Have: "2Gi"}}}},
	}}, nil
}

func (e *explaining) Plan(_ context.Context, objects []*candor.Object, _ ...client.ReadOption) (*client.Planned, error) {
	for _, o := range objects {
		e.shelf.log = append(e.shelf.log, fmt.Sprintf("plan %s %s", refOf(o), o.Spec))
	}
	return &client.Planned{Plan: e.plan, Witness: e.shelf.witness()}, e.shelf.refuse("plan")
}

func (e *explaining) Reconciles(context.Context, candor.Ref, ...client.ReadOption) (*client.Reconciled, error) {
	return &client.Reconciled{Reconciliations: e.did, Witness: e.shelf.witness()}, e.shelf.refuse("reconciles")
}

func (e *explaining) Decision(_ context.Context, which client.WhichDecision, _ ...client.ReadOption) (*client.Decided, error) {
	if e.decision == nil {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: which.String(), Message: "there is no decision " + which.String()}
	}
	at := candor.VersionRef{Ref: candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: "web-3"}, Revision: 8124}
	return &client.Decided{Decision: e.decision, Version: at, Witness: e.shelf.witness()}, nil
}

func (e *explaining) ReplayDecision(ctx context.Context, which client.WhichDecision, _ ...client.ReadOption) (*client.Replayed, error) {
	d, err := e.Decision(ctx, which)
	if err != nil {
		return nil, err
	}
	digest := map[bool]string{true: d.Decision.Digest, false: "cd"}[e.replay.Same]
	if e.replay.Reason == "REPLAY_UNAVAILABLE" {
		digest = ""
	}
	return &client.Replayed{Decided: *d, Replay: e.replay, Digest: digest}, nil
}
