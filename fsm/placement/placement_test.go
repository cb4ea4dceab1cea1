package placement_test

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/literal"
	"github.com/candor-plane/candor/fsm/placement"
)

// A turn reads of a status what everybody else does, or nothing.
func FuzzPlaceOf(f *testing.F) {
	for _, s := range []string{``, `{}`, `{"phase":"Placed","node":"w1","nodeUID":"u"}`, `{"phase":"Lost"}`, `{"node":"a","node":"b","nodeUID":"u"}`, `{"node":"\u0061","nodeUID":"u"}`, `{"phase":1}`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, status []byte) {
		p, ok := placement.PlaceOf(status)
		if !ok || !literal.Valid(status) {
			return
		}
		var s struct {
			Phase   candor.InstancePhase
			Node    string
			NodeUID string
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(status, &members) != nil {
			t.Fatalf("%s is read as %+v", status, p)
		}
		for name, to := range map[string]any{"phase": &s.Phase, "node": &s.Node, "nodeUID": &s.NodeUID} {
			if raw := members[name]; raw != nil && json.Unmarshal(raw, to) != nil {
				t.Fatalf("%s: %s", status, name)
			}
		}
		if s.Phase == "" {
			s.Phase = candor.InstancePending
		}
		if p != (placement.Place{Phase: s.Phase, Node: s.Node, NodeUID: s.NodeUID}) {
			t.Fatalf("%s is read as %+v, says %+v", status, p, s)
		}
	})
}

// FuzzResources reads quantities as the vocabulary does, or refuses them; it refuses
// what the vocabulary refuses.
func FuzzResources(f *testing.F) {
	for _, s := range []string{`{}`, `{"cpu":"500m","memory":"4Gi"}`, `{"cpu":2,"gpu":0}`, `{"cpu":"-1"}`, `{"c\u0070u":1}`, `{"cpu":1,"cpu":2}`, `[]`, `{"cpu":1e3}`, `{"cpu":"16Ei"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := placement.Resources(text)
		if err != nil || !literal.Valid(text) {
			return
		}
		var want candor.Resources
		if json.Unmarshal(text, &want) != nil {
			return // names and numbers are the schema's to judge
		}
		want = slices.DeleteFunc(want, func(a candor.Amount) bool { return a.Value == 0 })
		if !slices.Equal(got, want) {
			t.Fatalf("%s is read as %v, says %v", text, got, want)
		}
	})
}

// Whatever stood in the status: what a turn writes is JSON, says what the turn did,
// and keeps every other condition and member.
func TestAStatusKeepsWhatIsNotItsOwn(t *testing.T) {
	type condition map[string]any
	rapid.Check(t, func(rt *rapid.T) {
		before := map[string]any{}
		if rapid.Bool().Draw(rt, "phase") {
			before["phase"] = "Pending"
		}
		if rapid.Bool().Draw(rt, "generation") {
			before["observedGeneration"] = 3
		}
		if rapid.Bool().Draw(rt, "more") {
			before["later"] = map[string]any{"a": []any{1.0, "x"}}
		}
		var conditions []condition
		kinds := rapid.Permutation([]string{"Ready", "Scheduled", "Other"}).Draw(rt, "conditions")
		for _, kind := range kinds[:rapid.IntRange(0, 3).Draw(rt, "n")] {
			conditions = append(conditions, condition{"type": kind, "status": "False", "reason": "X", "message": rapid.String().Draw(rt, "message"), "lastTransitionTime": "2020-01-01T00:00:00Z"})
		}
		if conditions != nil {
			before["conditions"] = conditions
		}
		var raw []byte
		if len(before) > 0 {
			raw, _ = json.Marshal(before)
		}
		o := placement.Outcome{Verdict: candor.VerdictNothingFits, Decision: []byte(`{"verdict":"PLACED","id":"d","refusal":"OLD","best":[{"node":"w","score":1}]}`), Reason: candor.WhyNothingFits, Message: rapid.String().Draw(rt, "said"), Time: 5}
		if rapid.Bool().Draw(rt, "placed") {
			o.Node, o.NodeUID, o.Verdict, o.Reason = "w1", "u1", candor.VerdictPlaced, candor.WhyPlaced
		}
		out := placement.AppendStatus([]byte("prefix"), raw, &o)[len("prefix"):]
		if !literal.Valid(out) {
			rt.Fatalf("no JSON: %s", out)
		}
		var s candor.InstanceStatus
		var members map[string]json.RawMessage
		if err := json.Unmarshal(out, &s); err != nil || json.Unmarshal(out, &members) != nil {
			rt.Fatalf("%s: %v", out, err)
		}
		p, ok := placement.PlaceOf(out)
		if !ok || p.Node != o.Node || p.NodeUID != o.NodeUID || !p.Consistent() || p.Live() != (o.Node != "") {
			rt.Fatalf("%s is at %+v", out, p)
		}
		if d := s.Decision; d.Verdict != o.Verdict || d.Refusal != "" || d.ID != "d" || len(d.Best) != 1 {
			rt.Fatalf("decision %+v", d)
		}
		if (members["later"] != nil) != (before["later"] != nil) || (s.ObservedGeneration == 3) != (before["observedGeneration"] != nil) {
			rt.Fatalf("of %s it keeps %s", raw, out)
		}
		for i, c := range conditions {
			got := s.Conditions[i]
			if got.Type != c["type"] || got.Type != "Scheduled" && (got.Message != c["message"] || got.Reason != "X") {
				rt.Fatalf("condition %d is %+v, was %+v", i, got, c)
			}
		}
		scheduled := s.Conditions.Get(candor.ConditionScheduled)
		if scheduled == nil || (scheduled.Status == candor.ConditionTrue) != (o.Node != "") || scheduled.Reason != o.Reason {
			rt.Fatalf("condition %+v", scheduled)
		}
	})
}
