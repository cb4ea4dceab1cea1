package convert_test

import (
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// A word is the same on the wire, in Go and in JSON: the enum value without its
// prefix. Values that this build does not know become the unknown.
func checkEnum[W ~string, P ~int32](
	t *testing.T, names map[int32]string, prefix string, to func(W) P, from func(P) W,
) {
	t.Helper()
	for number, name := range names {
		word := from(P(number))
		if number == 0 {
			if word != "" || to("") != 0 {
				t.Errorf("%s: the unspecified value must be the empty word, not %q", name, word)
			}
			continue
		}
		if want := strings.TrimPrefix(name, prefix+"_"); string(word) != want {
			t.Errorf("%s reads as %q, want %q", name, word, want)
		}
		if back := to(word); int32(back) != number {
			t.Errorf("%s: %q is written as %d, want %d", name, word, back, number)
		}
	}
	if word := from(P(9999)); word != "" {
		t.Errorf("%s: a value of a newer peer reads as %q, want the empty word", prefix, word)
	}
	if p := to("NO_SUCH_WORD"); p != 0 {
		t.Errorf("%s: an unknown word is written as %d, want 0", prefix, p)
	}
}

func TestWordsAreTheSameOnTheWire(t *testing.T) {
	checkEnum(t, candorv1.Freshness_name, "FRESHNESS", convert.FreshnessToProto, convert.FreshnessFromProto)
	checkEnum(t, candorv1.ServingClass_name, "SERVING_CLASS", convert.ServingClassToProto, convert.ServingClassFromProto)
	checkEnum(t, candorv1.Mechanism_name, "MECHANISM", convert.MechanismToProto, convert.MechanismFromProto)
	checkEnum(t, candorv1.CatchUpState_name, "CATCH_UP_STATE", convert.CatchUpStateToProto, convert.CatchUpStateFromProto)
	checkEnum(t, candorv1.CatchUpAction_name, "CATCH_UP_ACTION", convert.CatchUpActionToProto, convert.CatchUpActionFromProto)
	checkEnum(t, candorv1.DegradedMode_name, "DEGRADED_MODE", convert.DegradedModeToProto, convert.DegradedModeFromProto)
	checkEnum(t, candorv1.EventType_name, "EVENT_TYPE", convert.EventTypeToProto, convert.EventTypeFromProto)
	checkEnum(t, candorv1.Outcome_name, "OUTCOME", convert.OutcomeToProto, convert.OutcomeFromProto)
	checkEnum(t, candorv1.PropagationPolicy_name, "PROPAGATION_POLICY",
		convert.PropagationToProto, convert.PropagationFromProto)
}

func TestNilIsAbsent(t *testing.T) {
	if convert.ObjectToProto(nil) != nil || convert.ObjectFromProto(nil) != nil ||
		convert.WitnessToProto(nil) != nil || convert.WitnessFromProto(nil) != nil ||
		convert.CauseToProto(nil) != nil || convert.CauseFromProto(nil) != nil ||
		convert.EventToProto(nil) != nil || convert.LeaderHintFromProto(nil) != nil {
		t.Error("nil must convert to nil")
	}
	if got := convert.TokenFromProto(nil); !got.IsZero() {
		t.Errorf("a missing token reads as %v, want zero", got)
	}
	w := convert.WitnessFromProto(&candorv1.Witness{NodeId: "n"})
	if w.RootLag != nil || w.StalenessBound != nil || w.CurrentToken != nil || w.Leader != nil {
		t.Errorf("what was not said must stay absent: %+v", w)
	}
	if p := convert.CauseToProto(&candor.Cause{Actor: "ana"}); p.GetReadToken() != nil {
		t.Errorf("a cause that does not say what was read carries %v", p.GetReadToken())
	}
}
