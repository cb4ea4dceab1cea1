package convert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

func genRef(t *rapid.T) candor.Ref {
	return candor.Ref{Kind: candor.KindName(rapid.String().Draw(t, "kind")), Namespace: rapid.String().Draw(t, "namespace"), Name: rapid.String().Draw(t, "name")}
}

func genVersion(t *rapid.T) candor.VersionRef {
	return candor.VersionRef{Ref: genRef(t), Revision: rapid.Uint64().Draw(t, "revision")}
}

// genSome is nil or up to three.
func genSome[T any](t *rapid.T, label string, one func(*rapid.T) T) []T {
	var out []T
	for range rapid.IntRange(0, 3).Draw(t, label) {
		out = append(out, one(t))
	}
	return out
}

func genDecision(t *rapid.T) *candor.Decision {
	text := func(label string) string { return rapid.String().Draw(t, label) }
	number := func(label string) int { return rapid.Int().Draw(t, label) }
	return &candor.Decision{
		ID: text("id"), Token: genToken(t), Place: number("place"), Instance: rapid.Uint64().Draw(t, "instance"), Algorithm: number("algorithm"),
		Verdict: candor.Verdict(text("verdict")), Node: text("node"), Considered: number("considered"),
		Reasons: genSome(t, "reasons", func(*rapid.T) candor.ReasonCount {
			return candor.ReasonCount{Reason: text("reason"), Nodes: number("nodes")}
		}),
		Best: genSome(t, "best", func(*rapid.T) candor.Candidate {
			return candor.Candidate{Node: text("node"), Score: rapid.Int64().Draw(t, "score")}
		}),
		Margin: rapid.Int64().Draw(t, "margin"), TieBreak: text("tieBreak"), Victims: genStrings(t, "victims"), Refusal: text("refusal"), Digest: text("digest"),
	}
}

func genExplanation(t *rapid.T) *candor.Explanation {
	text := func(label string) string { return rapid.String().Draw(t, label) }
	number := func(label string) int64 { return rapid.Int64().Draw(t, label) }
	x := &candor.Explanation{
		Subject: genVersion(t), Headline: text("headline"), Facts: genStrings(t, "facts"), Next: text("next"),
		Nodes: genSome(t, "nodes", func(*rapid.T) candor.NodeVerdict {
			return candor.NodeVerdict{
				Nodes: genStrings(t, "names"), Fits: rapid.Bool().Draw(t, "fits"), Score: number("score"),
				Reasons: genSome(t, "misfits", func(*rapid.T) candor.Misfit {
					return candor.Misfit{Reason: text("reason"), Need: text("need"), Have: text("have")}
				}),
				Scores: genSome(t, "parts", func(*rapid.T) candor.ScorePart {
					return candor.ScorePart{Name: text("name"), Score: number("score"), Weight: number("weight")}
				}),
			}
		}),
		Changes: genSome(t, "changes", func(*rapid.T) candor.FittingChange {
			return candor.FittingChange{Change: text("change"), Node: text("node"), Field: text("field"), Value: text("value")}
		}),
		Because: genSome(t, "because", func(*rapid.T) candor.Link {
			return candor.Link{Version: genVersion(t), Cause: genCause(t), Text: text("text")}
		}),
	}
	if rapid.Bool().Draw(t, "decided") {
		x.Decision = genDecision(t)
	}
	if rapid.Bool().Draw(t, "replayed") {
		x.Replay = &candor.Replay{Same: rapid.Bool().Draw(t, "same"), Reason: candor.Reason(text("why")), Message: text("message")}
	}
	return x
}

func TestExplanationRoundTripLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genExplanation(t)
		got := convert.ExplanationFromProto(overWire(t, convert.ExplanationToProto(want), new(candorv1.Explanation)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("explanation changed on its way (-sent +arrived):\n%s", diff)
		}
	})
}

func TestPlanRoundTripLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string { return rapid.String().Draw(t, label) }
		change := func(t *rapid.T) candor.PlannedChange {
			return candor.PlannedChange{Object: genRef(t), Because: genRef(t), Fields: genSome(t, "fields", func(*rapid.T) candor.FieldChange {
				return candor.FieldChange{Path: text("path"), Was: genPart(t, "was"), Is: genPart(t, "is")}
			})}
		}
		want := &candor.Plan{
			Token: genToken(t), Creates: genSome(t, "creates", change), Updates: genSome(t, "updates", change), Deletes: genSome(t, "deletes", change),
			Placements: genSome(t, "placements", func(*rapid.T) candor.PlannedPlacement {
				return candor.PlannedPlacement{Instance: genRef(t), Node: text("node"), Score: rapid.Int64().Draw(t, "score")}
			}),
			Moves: genSome(t, "moves", func(*rapid.T) candor.PlannedMove {
				return candor.PlannedMove{Instance: genRef(t), From: text("from"), To: text("to")}
			}),
			Preemptions: genSome(t, "preemptions", func(*rapid.T) candor.PlannedPreemption {
				return candor.PlannedPreemption{Victim: genRef(t), For: genRef(t), Node: text("node")}
			}),
			Unplaceable: genSome(t, "unplaceable", func(*rapid.T) candor.Unplaceable {
				return candor.Unplaceable{Instance: genRef(t), Explanation: *genExplanation(t)}
			}),
		}
		got := convert.PlanFromProto(overWire(t, convert.PlanToProto(want), new(candorv1.Plan)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("plan changed on its way (-sent +arrived):\n%s", diff)
		}
	})
}

func TestWhatControllersDidRoundTripLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string { return rapid.String().Draw(t, label) }
		want := genSome(t, "reconciliations", func(*rapid.T) candor.Reconciliation {
			return candor.Reconciliation{
				Controller: text("controller"), Object: genRef(t), Looked: genToken(t), At: rapid.Int64().Draw(t, "at"), Result: text("result"),
				Message: text("message"), Revision: rapid.Uint64().Draw(t, "revision"), Causes: genSome(t, "causes", genVersion), Next: text("next"),
			}
		})
		sent := &candorv1.ReconcilesResponse{Reconciliations: convert.ReconciliationsToProto(want)}
		got := convert.ReconciliationsFromProto(overWire(t, sent, new(candorv1.ReconcilesResponse)).GetReconciliations())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("reconciliations changed on their way (-sent +arrived):\n%s", diff)
		}
		edge := func(*rapid.T) candor.ControllerEdge {
			return candor.ControllerEdge{Kind: candor.KindName(text("kind")), Mode: text("mode")}
		}
		graph := genSome(t, "graph", func(t *rapid.T) candor.ControllerNode {
			return candor.ControllerNode{Name: text("name"), Duty: text("duty"), Inputs: genSome(t, "inputs", edge), Outputs: genSome(t, "outputs", edge)}
		})
		answer := &candorv1.GraphResponse{Controllers: convert.ControllersToProto(graph)}
		if diff := cmp.Diff(graph, convert.ControllersFromProto(overWire(t, answer, new(candorv1.GraphResponse)).GetControllers())); diff != "" {
			t.Fatalf("the graph changed on its way (-sent +arrived):\n%s", diff)
		}
	})
}

func TestNoExplanationIsAbsent(t *testing.T) {
	if convert.ExplanationToProto(nil) != nil || convert.ExplanationFromProto(nil) != nil || convert.PlanToProto(nil) != nil || convert.PlanFromProto(nil) != nil ||
		convert.DecisionToProto(nil) != nil || convert.DecisionFromProto(nil) != nil || convert.ReplayToProto(nil) != nil || convert.ReplayFromProto(nil) != nil {
		t.Error("nil must convert to nil")
	}
}
