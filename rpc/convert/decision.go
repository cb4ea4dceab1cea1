package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// DecisionToProto returns nil for nil.
func DecisionToProto(d *candor.Decision) *candorv1.Decision {
	if d == nil {
		return nil
	}
	return &candorv1.Decision{
		Id: d.ID, Token: TokenToProto(d.Token), Place: int64(d.Place), Instance: d.Instance, Algorithm: int64(d.Algorithm),
		Verdict: string(d.Verdict), Node: d.Node, Considered: int64(d.Considered),
		Reasons: each(d.Reasons, func(r *candor.ReasonCount) *candorv1.ReasonCount {
			return &candorv1.ReasonCount{Reason: r.Reason, Nodes: int64(r.Nodes)}
		}),
		Best: each(d.Best, func(c *candor.Candidate) *candorv1.Candidate {
			return &candorv1.Candidate{Node: c.Node, Score: c.Score}
		}),
		Margin: d.Margin, TieBreak: d.TieBreak, Victims: d.Victims, Refusal: d.Refusal, Digest: d.Digest,
	}
}

// DecisionFromProto returns nil for nil.
func DecisionFromProto(p *candorv1.Decision) *candor.Decision {
	if p == nil {
		return nil
	}
	return &candor.Decision{
		ID: p.GetId(), Token: TokenFromProto(p.GetToken()), Place: int(p.GetPlace()), Instance: p.GetInstance(), Algorithm: int(p.GetAlgorithm()),
		Verdict: candor.Verdict(p.GetVerdict()), Node: p.GetNode(), Considered: int(p.GetConsidered()),
		Reasons: eachBack(p.GetReasons(), func(r *candorv1.ReasonCount) candor.ReasonCount {
			return candor.ReasonCount{Reason: r.GetReason(), Nodes: int(r.GetNodes())}
		}),
		Best: eachBack(p.GetBest(), func(c *candorv1.Candidate) candor.Candidate {
			return candor.Candidate{Node: c.GetNode(), Score: c.GetScore()}
		}),
		Margin: p.GetMargin(), TieBreak: p.GetTieBreak(), Victims: p.GetVictims(), Refusal: p.GetRefusal(), Digest: p.GetDigest(),
	}
}
