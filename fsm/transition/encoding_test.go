package transition_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

// The bytes are in logs and snapshots: they change only with a feature level.
func TestAPlanAndAnEndHaveFixedBytes(t *testing.T) {
	plan := planned()
	want := `{"kind":"member-remove","target":"n2","plannedRevision":12,"source":"3:40/11","intent":{"force":true},` +
		`"intentDigest":"` + plan.Digest().String() + `","duty":"topology","era":4,"plannedAt":100,"deadline":900,"phaseLimit":200,` +
		`"configuration":38,"retryClass":"LATER","parent":"member-replace-1","actor":"client/ann","reason":"OPERATOR","message":"say \"gone\"\u000a"}`
	if got := string(plan.Spec()); got != want {
		t.Errorf("spec\n%s, want\n%s", got, want)
	}
	if got := plan.ID(); got != "member-remove-33a1d52827c384580f9b5473" {
		t.Errorf("ID %s", got)
	}
	if err := candor.CheckName("name", plan.ID()); err != nil {
		t.Error(err)
	}
	event := transition.Event{SupersededBy: "member-remove-2"}
	report := transition.Journal{Executor: "n1", Outcome: transition.OutcomeApplied, Times: transition.Times{Admitted: 110, Executing: 120}, Reason: candor.ReasonConflict, Message: "é\x00"}
	status := plan.Status().End(transition.Verdict{Phase: transition.PhaseSuperseded}, &event, 20, 500, report)
	want = `{"phase":"SUPERSEDED","revision":20,"times":{"planned":100,"admitted":110,"executing":120,"ended":500},"executor":"n1",` +
		`"outcome":"APPLIED","publishState":"PUBLISHED","reason":"CONFLICT","message":"é\u0000","supersededBy":"member-remove-2"}`
	if got := string(status.JSON()); got != want {
		t.Errorf("status\n%s, want\n%s", got, want)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	plan := planned()
	if got, err := transition.ReadSpec(plan.Spec()); err != nil || !cmp.Equal(got, plan) {
		t.Errorf("%v\n%s", err, cmp.Diff(plan, got))
	}
	indented := new(strings.Builder)
	var tree any
	if err := json.Unmarshal(plan.Spec(), &tree); err != nil {
		t.Fatal(err)
	}
	encoder := json.NewEncoder(indented)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(tree); err != nil {
		t.Fatal(err)
	}
	if _, err := transition.ReadSpec([]byte(indented.String())); err == nil || !strings.Contains(err.Message, "intentDigest") {
		t.Errorf("an intent of other bytes is another intent: %v", err)
	}
	for _, status := range []transition.Status{begun(), ended(transition.PhaseFailed)} {
		if got, err := transition.ReadStatus(status.JSON()); err != nil || got != status {
			t.Errorf("%v\n%s", err, cmp.Diff(status, got))
		}
	}
	for _, m := range []transition.Membership{{}, {Address: "10.0.0.1:7", With: "n9", Nonvoter: true, Force: true}} {
		if got, err := transition.ReadMembership(m.Intent()); err != nil || got != m {
			t.Errorf("%v, %+v", err, got)
		}
	}
	damaged := map[string]func() *candor.Error{
		"intentDigest": func() *candor.Error {
			_, err := transition.ReadSpec([]byte(strings.Replace(string(plan.Spec()), "true", "1234", 1)))
			return err
		},
		"phase": func() *candor.Error {
			_, err := transition.ReadStatus([]byte(`{"phase":"LOST","times":{},"publishState":"PENDING"}`))
			return err
		},
		"times.ended": func() *candor.Error {
			_, err := transition.ReadStatus([]byte(`{"phase":"PLANNED","times":{"ended":-1},"publishState":"PENDING"}`))
			return err
		},
		"force": func() *candor.Error {
			_, err := transition.ReadMembership([]byte(`{"force":1}`))
			return err
		},
	}
	for member, read := range damaged {
		if err := read(); err == nil || err.Reason != candor.ReasonDataCorrupt || !strings.Contains(err.Message, member) {
			t.Errorf("%s damaged: %v", member, err)
		}
	}
}

func TestSatisfiedIsWhatTheConfigurationShows(t *testing.T) {
	c := transition.Configuration{Index: 9, Leader: "n1", Servers: []transition.Server{{"n1", "a1", true}, {"n2", "a2", true}, {"n4", "a4", false}}}
	for _, test := range []struct {
		kind   transition.Kind
		target string
		m      transition.Membership
		want   bool
	}{
		{transition.MemberAdd, "n4", transition.Membership{Address: "a4"}, true},
		{transition.MemberAdd, "n4", transition.Membership{Address: "a5"}, false},
		{transition.MemberAdd, "n5", transition.Membership{Address: "a5"}, false},
		{transition.MemberPromote, "n4", transition.Membership{}, false},
		{transition.MemberPromote, "n2", transition.Membership{}, true},
		{transition.MemberRemove, "n3", transition.Membership{}, true},
		{transition.MemberRemove, "n2", transition.Membership{}, false},
		{transition.MemberReplace, "n3", transition.Membership{With: "n2", Address: "a2"}, true},
		{transition.MemberReplace, "n3", transition.Membership{With: "n4", Address: "a4"}, false},
		{transition.MemberReplace, "n3", transition.Membership{With: "n4", Address: "a4", Nonvoter: true}, true},
		{transition.MemberReplace, "n2", transition.Membership{With: "n1"}, false},
		{transition.LeaderTransfer, "n1", transition.Membership{}, true},
		{transition.LeaderTransfer, "n2", transition.Membership{}, false},
		{"place", "n1", transition.Membership{}, false},
	} {
		if got := transition.Satisfied(test.kind, test.target, test.m, c); got != test.want {
			t.Errorf("%s %s %+v: %t", test.kind, test.target, test.m, got)
		}
		if transition.Satisfied(test.kind, test.target, test.m, transition.Configuration{Leader: test.target}) {
			t.Errorf("%s %s: no configuration shows it", test.kind, test.target)
		}
	}
}

// FuzzJSON: whatever is read is written so that it is read as the same, JSON readers
// agree with it, and nothing makes it fail.
func FuzzJSON(f *testing.F) {
	plan := planned()
	f.Add(plan.Spec(), jsonOf(begun()), "say")
	f.Add([]byte(`{"times":{`), []byte(`{"message":"\ud83d\ude00\ud800"}`), "\xff\x00\"\\")
	f.Add([]byte(`{}`), []byte(`{}`), `\ud83d\ude00 \ud800 \ud800\u0041 \udc00 \ud83d\ud83d\ude00 \/\b\f\n\r\t\"\\ \u00e9`)
	f.Fuzz(func(t *testing.T, spec, status []byte, message string) {
		if p, err := transition.ReadSpec(spec); err == nil {
			again, err := transition.ReadSpec(p.Spec())
			if err != nil || !cmp.Equal(again, p) {
				t.Errorf("spec %q: %v %s", spec, err, cmp.Diff(p, again))
			}
		}
		if s, err := transition.ReadStatus(status); err == nil {
			if again, err := transition.ReadStatus(s.JSON()); err != nil || again != s {
				t.Errorf("status %q: %v", status, err)
			}
		}
		s := begun()
		s.Message = message
		var read struct{ Message string }
		if err := json.Unmarshal(s.JSON(), &read); err != nil || read.Message != strings.ToValidUTF8(message, "\ufffd") && utf8.ValidString(message) {
			t.Errorf("message %q is read as %q: %v", message, read.Message, err)
		}
		if again, err := transition.ReadStatus(s.JSON()); err != nil || again.Message != read.Message {
			t.Errorf("message %q comes back as %q: %v", message, again.Message, err)
		}
		// However it is written: as encoding/json does, and as it came.
		quoted, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		var said string
		if bare := []byte(`"` + message + `"`); utf8.ValidString(message) && json.Unmarshal(bare, &said) == nil {
			quoted, read.Message = bare, said
		}
		raw := slices.Concat([]byte(`{"phase":"PLANNED","publishState":"PENDING","message":`), quoted, []byte(`}`))
		if again, err := transition.ReadStatus(raw); err != nil || again.Message != read.Message {
			t.Errorf("message %s is read as %q: %v", quoted, again.Message, err)
		}
	})
}

// FuzzEvents: no sequence of events breaks a guarantee.
func FuzzEvents(f *testing.F) {
	f.Add([]byte{0, 9, 2, 40, 7, 7, 1, 255})
	every := questions()
	f.Fuzz(func(t *testing.T, choices []byte) {
		w := world{revision: 1}
		for i := 0; i+2 < len(choices) && w.revision < 50; i += 3 {
			e := every[(int(choices[i])<<8|int(choices[i+1]))%len(every)].event
			e.Kind = derived
			switch at := uint64(choices[i+2]&0x7f)%w.revision + 1; e.Type {
			case transition.EventPlan:
				e.Source = at
			default:
				e.Planned = at
			}
			after, v := transition.Publish(transition.Facts{Entry: w.entry, Satisfied: choices[i+2]&0x80 != 0}, &e, w.revision+1)
			if v.Action != transition.ActionApply {
				if after != w.entry {
					t.Fatalf("%s changes the entry", v.Action)
				}
				continue
			}
			next := world{after, w.revision + 1}
			if wrong := broken(w, next); wrong != "" {
				t.Fatal(wrong)
			}
			w = next
		}
	})
}

func jsonOf(s transition.Status) []byte { return s.JSON() }
