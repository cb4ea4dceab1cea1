package policy_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
)

func roles(specs ...string) []policy.Object {
	var out []policy.Object
	for i := 0; i < len(specs); i += 2 {
		out = append(out, policy.Object{Name: specs[i], Spec: []byte(specs[i+1])})
	}
	return out
}

// TestARuleAllowsWhatItNamesAndNothingElse over every field of a rule.
func TestARuleAllowsWhatItNamesAndNothingElse(t *testing.T) {
	for _, test := range []struct {
		rule    string
		allowed []policy.Ask
		refused []policy.Ask
	}{
		{
			rule:    `{"verbs":["get","list"],"kinds":["widgets.example.com"]}`,
			allowed: []policy.Ask{{Verb: "get", Kind: "widgets.example.com", Namespace: "shop", Name: "a"}, {Verb: "list", Kind: "widgets.example.com"}},
			refused: []policy.Ask{{Verb: "watch", Kind: "widgets.example.com"}, {Verb: "get", Kind: "gadgets.example.com"}, {Verb: "create", Kind: "widgets.example.com", Name: "a"}},
		},
		{
			rule: `{"verbs":["*"],"kinds":["*"]}`,
			allowed: []policy.Ask{
				{Verb: "delete", Kind: "widgets.example.com", Name: "a"}, {Verb: "create", Kind: "kinds.candor", Name: "a"},
				{Verb: "update", Kind: "widgets.example.com", Name: "a", Section: "spec"},
			},
			// Whoever writes access can become anyone; administration is no object; status is a controller's.
			refused: []policy.Ask{
				{Verb: "get", Kind: "tokens.candor"}, {Verb: "create", Kind: "rolebindings.candor", Name: "x"}, {Verb: "update", Kind: "roles.candor", Name: "x"},
				{Verb: "delete", Kind: policy.Members}, {Verb: "update", Kind: "widgets.example.com", Name: "a", Section: "status"},
				{Verb: "update", Kind: "widgets.example.com", Name: "a", Section: "observed"},
			},
		},
		{
			rule:    `{"verbs":["update"],"kinds":["*"],"sections":["observed"]}`,
			allowed: []policy.Ask{{Verb: "update", Kind: "widgets.example.com", Name: "a", Section: "observed"}},
			refused: []policy.Ask{{Verb: "update", Kind: "widgets.example.com", Name: "a"}, {Verb: "update", Kind: "widgets.example.com", Name: "a", Section: "status"}},
		},
		{
			rule:    `{"verbs":["*"],"kinds":["*"],"namespaces":["shop"]}`,
			allowed: []policy.Ask{{Verb: "list", Kind: "widgets.example.com", Namespace: "shop"}},
			refused: []policy.Ask{{Verb: "list", Kind: "widgets.example.com"}, {Verb: "get", Kind: "widgets.example.com", Namespace: "shop2", Name: "a"}, {Verb: "get", Kind: "namespaces.candor", Name: "shop"}},
		},
		{
			rule:    `{"verbs":["*"],"kinds":["*"],"namePrefixes":["web-"]}`,
			allowed: []policy.Ask{{Verb: "watch", Kind: "widgets.example.com", Namespace: "shop", Name: "web-1"}},
			refused: []policy.Ask{{Verb: "watch", Kind: "widgets.example.com", Namespace: "shop"}, {Verb: "delete", Kind: "widgets.example.com", Name: "db-1"}},
		},
		{
			rule:    `{"verbs":["*"],"kinds":["system/*"]}`,
			allowed: []policy.Ask{{Verb: "delete", Kind: policy.Members, Name: "n1"}, {Verb: "get", Kind: policy.Audit}},
			refused: []policy.Ask{{Verb: "get", Kind: "widgets.example.com"}},
		},
		{
			rule:    `{"verbs":["*"],"kinds":["system/members"]}`,
			allowed: []policy.Ask{{Verb: "delete", Kind: policy.Members, Name: "n1"}},
			refused: []policy.Ask{{Verb: "get", Kind: policy.Audit}},
		},
	} {
		p := policy.Compile(7, roles("r", `{"rules":[`+test.rule+`]}`), roles("b", `{"role":"r","subjects":["ana"]}`), nil)
		for _, ask := range test.allowed {
			if role, ok := p.Allows("ana", ask); !ok || role != "r" {
				t.Errorf("%s refuses %s", test.rule, ask)
			}
			if err := p.Check("bob", ask); err == nil || err.Reason != candor.ReasonForbidden || err.Revision != 7 {
				t.Errorf("bob, whom nothing binds: %v", err)
			}
		}
		for _, ask := range test.refused {
			if _, ok := p.Allows("ana", ask); ok {
				t.Errorf("%s allows %s", test.rule, ask)
			}
		}
	}
}

// TestARuleThatCannotBeReadWholeAllowsNothing: a bound that is not understood must
// not be taken for none.
func TestARuleThatCannotBeReadWholeAllowsNothing(t *testing.T) {
	for _, rule := range []string{
		`{}`, `[]`, `"x"`, `{"verbs":["get"]}`, `{"kinds":["*"]}`, `{"verbs":[],"kinds":["*"]}`, `{"verbs":["get"],"kinds":[]}`,
		`{"verbs":["get","fly"],"kinds":["*"]}`, `{"verbs":["get"],"kinds":["*"],"namespaces":[]}`, `{"verbs":["get"],"kinds":["*"],"namespaces":["a\"b"]}`,
		`{"verbs":["get"],"kinds":["*"],"namespaces":null}`, `{"verbs":["get"],"kinds":["*"],"namePrefixes":"web"}`, `{"verbs":["get"],"kinds":["*"],"sections":["all"]}`,
		`{"verbs":"get","kinds":["*"]}`, `{"verbs":["get"],"kinds":["*"],"namespaces":[1]}`,
	} {
		p := policy.Compile(1, roles("r", `{"rules":[`+rule+`]}`), roles("b", `{"role":"r","subjects":["ana"]}`), nil)
		if _, ok := p.Allows("ana", policy.Ask{Verb: "get", Kind: "widgets.example.com", Name: "a"}); ok {
			t.Errorf("%s allows", rule)
		}
	}
}

func TestEverybodyMayReadWhatKindsThereAre(t *testing.T) {
	p := policy.Compile(1, nil, nil, nil)
	for _, verb := range policy.Verbs {
		_, ok := p.Allows("ana", policy.Ask{Verb: verb, Kind: "kinds.candor", Name: "x"})
		if reads := verb == policy.Get || verb == policy.List || verb == policy.Watch; ok != reads {
			t.Errorf("%s: %t", verb, ok)
		}
	}
}

func TestSubjectsAreBoundByNameOrParty(t *testing.T) {
	everything := `{"rules":[{"verbs":["*"],"kinds":["*"]}]}`
	p := policy.Compile(1, roles("r", everything), roles("b", `{"role":"r","subjects":["ana","worker/*"]}`, "gone", `{"role":"absent","subjects":["bob"]}`), nil)
	ask := policy.Ask{Verb: "get", Kind: "widgets.example.com", Name: "a"}
	for actor, want := range map[string]bool{
		"ana": true, "worker/w1": true, "worker": false, "worker/": true, "an": false, "ana2": false, "bob": false, "server/1": false, "": false, "*": false, "worker/*": true,
	} {
		if _, ok := p.Allows(actor, ask); ok != want {
			t.Errorf("%q: %t", actor, ok)
		}
	}
	if got := strings.Join(p.RolesOf("worker/w1"), ","); got != "r" {
		t.Errorf("roles of worker/w1: %s", got)
	}
}

func TestATokenHoldsForItsActorUntilItExpires(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	spec := func(more string) string {
		return `{"actor":"ana","hash":"` + hash + `","expires":"2030-01-02T03:04:05Z"` + more + `}`
	}
	p := policy.Compile(1, nil, nil, roles("good", spec(""), "join", spec(`,"use":"join"`), "odd", spec(`,"use":"x"`),
		"form", `{"actor":"ana","hash":"`+hash+`","expires":"2030-01-02T03:04:05+01:00"}`, "system", `{"actor":"system","hash":"`+hash+`","expires":"2030-01-02T03:04:05Z"}`,
		"short", `{"actor":"ana","hash":"ab","expires":"2030-01-02T03:04:05Z"}`))
	end := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano()
	token, ok := p.Token("good")
	if !ok || token.Actor != "ana" || token.Expires != end || hex.EncodeToString(token.Hash[:]) != hash {
		t.Errorf("%+v, %t", token, ok)
	}
	if join, _ := p.Token("join"); join.Use != policy.UseJoin {
		t.Errorf("%+v", join)
	}
	for _, name := range []string{"odd", "form", "system", "short", "absent"} {
		if _, ok := p.Token(name); ok {
			t.Errorf("%s is a token", name)
		}
	}
	if err := p.Holds("good", "ana", end-1); err != nil {
		t.Errorf("before its end: %v", err)
	}
	for _, err := range []*candor.Error{p.Holds("good", "ana", end), p.Holds("good", "bob", 0), p.Holds("absent", "ana", 0)} {
		if err == nil || err.Reason != candor.ReasonUnauthenticated {
			t.Errorf("%v", err)
		}
	}
}

func TestTimesAreThoseOfTheCalendar(t *testing.T) {
	for at := time.Date(1971, 1, 1, 0, 0, 1, 0, time.UTC); at.Year() < 2262; at = at.Add(1000003 * time.Second) {
		spec := `{"actor":"ana","hash":"` + strings.Repeat("00", 32) + `","expires":"` + at.Format(time.RFC3339) + `"}`
		token, ok := policy.Compile(1, nil, nil, roles("t", spec)).Token("t")
		if !ok || token.Expires != at.UnixNano() {
			t.Fatalf("%s is %d (%t), want %d", at, token.Expires, ok, at.UnixNano())
		}
	}
}

// FuzzCompile: no spec makes it fail, and what it does not understand grants
// nothing to others.
func FuzzCompile(f *testing.F) {
	f.Add([]byte(`{"rules":[{"verbs":["get"],"kinds":["*"]}]}`), []byte(`{"role":"r","subjects":["ana"]}`), []byte(`{"actor":"ana"}`))
	f.Fuzz(func(t *testing.T, role, binding, token []byte) {
		p := policy.Compile(1, []policy.Object{{Name: "r", Spec: role}}, []policy.Object{{Name: "b", Spec: binding}}, []policy.Object{{Name: "t", Spec: token}})
		p.Allows("ana", policy.Ask{Verb: "get", Kind: "widgets.example.com", Name: "a"})
		if _, ok := p.Allows("", policy.Ask{}); ok {
			t.Error("nobody may nothing")
		}
	})
}

func BenchmarkAllows(b *testing.B) {
	p := policy.Compile(1, roles("r", `{"rules":[{"verbs":["get","list","watch"],"kinds":["*"]},{"verbs":["create","update"],"kinds":["widgets.example.com"],"namespaces":["shop"]}]}`), roles("b", `{"role":"r","subjects":["ana"]}`), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := p.Allows("ana", policy.Ask{Verb: "update", Kind: "widgets.example.com", Namespace: "shop", Name: "a"}); !ok {
			b.Fatal("refused")
		}
	}
}
