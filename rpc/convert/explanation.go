package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// each converts a list; none stays none.
func each[A, B any](in []A, one func(*A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i := range in {
		out[i] = one(&in[i])
	}
	return out
}

// eachBack is each for messages.
func eachBack[A, B any](in []*A, one func(*A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, p := range in {
		out[i] = one(p)
	}
	return out
}

// ExplanationToProto returns nil for nil.
func ExplanationToProto(x *candor.Explanation) *candorv1.Explanation {
	if x == nil {
		return nil
	}
	return &candorv1.Explanation{
		Subject: VersionRefToProto(&x.Subject), Headline: x.Headline, Decision: DecisionToProto(x.Decision),
		Nodes: each(x.Nodes, nodeVerdictToProto),
		Changes: each(x.Changes, func(c *candor.FittingChange) *candorv1.FittingChange {
			return &candorv1.FittingChange{Change: c.Change, Node: c.Node, Field: c.Field, Value: c.Value}
		}),
		Because: each(x.Because, func(l *candor.Link) *candorv1.Link {
			return &candorv1.Link{Version: VersionRefToProto(&l.Version), Cause: CauseToProto(l.Cause), Text: l.Text}
		}),
		Facts: x.Facts, Next: x.Next, Replay: ReplayToProto(x.Replay),
	}
}

// ExplanationFromProto returns nil for nil.
func ExplanationFromProto(p *candorv1.Explanation) *candor.Explanation {
	if p == nil {
		return nil
	}
	return &candor.Explanation{
		Subject: versionRefFromProto(p.GetSubject()), Headline: p.GetHeadline(), Decision: DecisionFromProto(p.GetDecision()),
		Nodes: eachBack(p.GetNodes(), nodeVerdictFromProto),
		Changes: eachBack(p.GetChanges(), func(c *candorv1.FittingChange) candor.FittingChange {
			return candor.FittingChange{Change: c.GetChange(), Node: c.GetNode(), Field: c.GetField(), Value: c.GetValue()}
		}),
		Because: eachBack(p.GetBecause(), func(l *candorv1.Link) candor.Link {
			return candor.Link{Version: versionRefFromProto(l.GetVersion()), Cause: CauseFromProto(l.GetCause()), Text: l.GetText()}
		}),
		Facts: p.GetFacts(), Next: p.GetNext(), Replay: ReplayFromProto(p.GetReplay()),
	}
}

// versionRefFromProto reads nil as no version.
func versionRefFromProto(p *candorv1.ObjectVersionRef) candor.VersionRef {
	if v := VersionRefFromProto(p); v != nil {
		return *v
	}
	return candor.VersionRef{}
}

func nodeVerdictToProto(v *candor.NodeVerdict) *candorv1.NodeVerdict {
	return &candorv1.NodeVerdict{
		Nodes: v.Nodes, Fits: v.Fits, Score: v.Score,
		Reasons: each(v.Reasons, func(m *candor.Misfit) *candorv1.Misfit {
			return &candorv1.Misfit{Reason: m.Reason, Need: m.Need, Have: m.Have}
		}),
		Scores: each(v.Scores, func(s *candor.ScorePart) *candorv1.ScorePart {
			return &candorv1.ScorePart{Name: s.Name, Score: s.Score, Weight: s.Weight}
		}),
	}
}

func nodeVerdictFromProto(p *candorv1.NodeVerdict) candor.NodeVerdict {
	return candor.NodeVerdict{
		Nodes: p.GetNodes(), Fits: p.GetFits(), Score: p.GetScore(),
		Reasons: eachBack(p.GetReasons(), func(m *candorv1.Misfit) candor.Misfit {
			return candor.Misfit{Reason: m.GetReason(), Need: m.GetNeed(), Have: m.GetHave()}
		}),
		Scores: eachBack(p.GetScores(), func(s *candorv1.ScorePart) candor.ScorePart {
			return candor.ScorePart{Name: s.GetName(), Score: s.GetScore(), Weight: s.GetWeight()}
		}),
	}
}

// ReplayToProto returns nil for nil.
func ReplayToProto(r *candor.Replay) *candorv1.Replay {
	if r == nil {
		return nil
	}
	return &candorv1.Replay{Same: r.Same, Reason: string(r.Reason), Message: r.Message}
}

// ReplayFromProto returns nil for nil.
func ReplayFromProto(p *candorv1.Replay) *candor.Replay {
	if p == nil {
		return nil
	}
	return &candor.Replay{Same: p.GetSame(), Reason: candor.Reason(p.GetReason()), Message: p.GetMessage()}
}
