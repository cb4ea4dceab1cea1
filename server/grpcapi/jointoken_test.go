package grpcapi

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
)

var examinedAt = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// brought is a token as the root has it, and as its bearer does.
func brought(use, expires, status string) (*policy.Policy, *candor.Object, candor.Bearer) {
	b := candor.Bearer{Accessor: "abc", Secret: strings.Repeat("S", candor.MinSecretBytes)}
	hash := b.Hash()
	spec := `{"actor":"ana","hash":"` + hex.EncodeToString(hash[:]) + `","expires":"` + expires + `"`
	if use != "" {
		spec += `,"use":"` + use + `"`
	}
	object := &candor.Object{Metadata: candor.Metadata{Name: b.Accessor}, Spec: []byte(spec + "}")}
	if status != "" {
		object.Status = []byte(status)
	}
	return policy.Compile(7, nil, nil, []policy.Object{{Name: b.Accessor, Spec: object.Spec}}), object, b
}

// TestATokenForJoiningAdmitsTheServerThatItWasSpentFor and no other, and none that is
// for something else or has expired.
func TestATokenForJoiningAdmitsTheServerThatItWasSpentFor(t *testing.T) {
	const later, mine = "2026-11-21T12:00:01Z", "n-4"
	spentFor := func(id string) string {
		var s tokenStatus
		s.spend(id, examinedAt)
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, test := range map[string]struct {
		use, expires, status string
		want                 candor.Reason
		spent                bool
		says                 string
	}{
		"unspent":               {use: "join", expires: later},
		"spent for it":          {use: "join", expires: later, status: spentFor(mine), spent: true},
		"spent for another":     {use: "join", expires: later, status: spentFor("n-5"), want: candor.ReasonForbidden, says: "spent at 2026-11-21T12:00:00Z for server n-5"},
		"spent, unknown so":     {use: "join", expires: later, status: `{"conditions":[{"type":"Spent","status":"Unknown"}]}`, want: candor.ReasonForbidden},
		"said to be unspent":    {use: "join", expires: later, status: `{"conditions":[{"type":"Spent","status":"False","message":"n-5"}]}`},
		"other conditions":      {use: "join", expires: later, status: `{"conditions":[{"type":"Reviewed","status":"True"}]}`},
		"a status of no form":   {use: "join", expires: later, status: `{"conditions":7}`, want: candor.ReasonForbidden},
		"expired":               {use: "join", expires: "2026-11-21T12:00:00Z", want: candor.ReasonUnauthenticated, says: "expired"},
		"expired, spent for it": {use: "join", expires: "2026-11-21T12:00:00Z", status: spentFor(mine), want: candor.ReasonUnauthenticated, says: "expired"},
		"for requests":          {expires: later, want: candor.ReasonForbidden, says: "candor auth token create --join"},
		"for requests, expired": {expires: "2026-11-21T11:00:00Z", want: candor.ReasonForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			p, object, b := brought(test.use, test.expires, test.status)
			token, ok := known(p, b)
			if !ok {
				t.Fatal("the token is not known by its own secret")
			}
			got, err := admits(p, token, object, mine, examinedAt)
			if candor.ReasonOf(err) != test.want {
				t.Fatalf("%v; want %q", err, test.want)
			}
			if err == nil && got.spent != test.spent {
				t.Errorf("spent: %t", got.spent)
			}
			if err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), b.Secret)) {
				t.Errorf("%v: want %q, and no secret", err, test.says)
			}
		})
	}
}

// TestATokenIsKnownByAccessorAndSecretTogether.
func TestATokenIsKnownByAccessorAndSecretTogether(t *testing.T) {
	p, _, b := brought("join", "2030-01-01T00:00:00Z", "")
	for name, shown := range map[string]candor.Bearer{
		"another accessor": {Accessor: "abd", Secret: b.Secret},
		"another secret":   {Accessor: b.Accessor, Secret: strings.Repeat("T", candor.MinSecretBytes)},
		"a longer secret":  {Accessor: b.Accessor, Secret: b.Secret + "S"},
	} {
		if _, ok := known(p, shown); ok {
			t.Errorf("%s is known", name)
		}
	}
	if _, ok := known(p, b); !ok {
		t.Error("the token itself is not known")
	}
}

// TestSpendingKeepsWhatElseTheStatusSays.
func TestSpendingKeepsWhatElseTheStatusSays(t *testing.T) {
	other := tokenCondition{Type: "Reviewed", Status: "True", Reason: "SEEN"}
	before := tokenStatus{ObservedGeneration: 3, Phase: "Ready", Conditions: []tokenCondition{{Type: conditionSpent, Status: "False"}, other}}
	after := before
	after.spend("n-4", examinedAt)
	want := tokenStatus{ObservedGeneration: 3, Phase: "Ready", Conditions: []tokenCondition{
		other, {Type: conditionSpent, Status: "True", LastTransitionTime: "2026-11-21T12:00:00Z", Reason: reasonJoined, Message: "n-4"},
	}}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Error(diff)
	}
	if before.spent() != nil || len(before.Conditions) != 2 {
		t.Errorf("what was before has changed: %+v", before)
	}
}
