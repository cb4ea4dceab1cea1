package grpcapi

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// mostPlanned is how many objects one plan takes.
const mostPlanned = 1000

// Plan says what would come of objects if they were applied now. Its caller must be
// able to read them, and to list nodes: where instances would go tells of those.
func (s *Explains) Plan(ctx context.Context, in *candorv1.PlanRequest) (*candorv1.PlanResponse, error) {
	if n := len(in.GetObjects()); n == 0 || n > mostPlanned {
		return nil, candor.Errorf(candor.ReasonInvalid, "a plan is for 1 to %d objects, not %d", mostPlanned, n)
	}
	view, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	if err := mayRead(ctx, view, policy.List, string(candor.KindNodes), "", ""); err != nil {
		return nil, withWitness(err, witness)
	}
	refs := make([]candor.Ref, 0, len(in.GetObjects()))
	objects := make([]*candor.Object, 0, len(in.GetObjects()))
	seen := map[candor.Ref]bool{}
	may := reading(ctx, view)
	for _, p := range in.GetObjects() {
		ref, o, err := s.wanted(convert.ObjectFromProto(p))
		if err == nil && seen[ref] {
			err = candor.Errorf(candor.ReasonInvalid, "%s is given twice", ref)
		}
		if err == nil {
			err = may(ref)
		}
		if err != nil {
			return nil, withWitness(err, witness)
		}
		seen[ref] = true
		refs, objects = append(refs, ref), append(objects, o)
	}
	plan, err := s.explainer.Plan(ctx, view, refs, objects)
	if err != nil {
		return nil, withWitness(err, witness)
	}
	return &candorv1.PlanResponse{Plan: convert.PlanToProto(plan), Witness: convert.WitnessToProto(&witness)}, nil
}

// wanted validates and defaults an object as a write of it would.
func (s *Explains) wanted(in *candor.Object) (candor.Ref, *candor.Object, error) {
	if in == nil {
		return candor.Ref{}, nil, errNoObject
	}
	kind, err := s.kinds.ByType(in.APIVersion, in.Kind)
	if err != nil {
		return candor.Ref{}, nil, err
	}
	o := intentOf(in)
	o.Metadata.ResourceVersion = 0
	for i := range o.Metadata.Owners {
		owner := &o.Metadata.Owners[i]
		if apiVersion, word, ok := owner.Type(); ok {
			of, err := s.kinds.ByType(apiVersion, word)
			if err != nil {
				return candor.Ref{}, nil, ownerFault(o, i, err)
			}
			owner.Kind = of.Name()
		}
	}
	if err := kind.Prepare(o); err != nil {
		return candor.Ref{}, nil, err
	}
	return candor.Ref{Kind: kind.Name(), Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}, o, nil
}
