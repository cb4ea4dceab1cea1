package candor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
)

// TestFieldChangesNameEveryFieldThatDiffersAndNoOther.
func TestFieldChangesNameEveryFieldThatDiffersAndNoOther(t *testing.T) {
	was := &candor.Object{
		Metadata: candor.Metadata{Labels: map[string]string{"app": "web", "old": "x"}},
		Spec:     []byte(`{"replicas":2,"template":{"command":["serve","-v"],"env":{"A":"1"}},"same":[1,2],"big":9007199254740993}`),
		Status:   []byte(`{"phase":"Available"}`), Observed: []byte(`{"seen":1}`),
	}
	is := &candor.Object{
		Metadata: candor.Metadata{Labels: map[string]string{"app": "shop"}, DeletionTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		Spec:     []byte(`{"big":9007199254740992,"replicas":4,"same":[1,2],"template":{"command":["serve","-q"],"env":{}},"list":[]}`),
		Status:   []byte(`{"phase":"Available"}`), Observed: []byte(`{"seen":2}`),
	}
	var got []string
	for _, c := range candor.FieldChanges(was, is) {
		got = append(got, c.String())
	}
	want := []string{
		"metadata.deletionTimestamp 2026-01-02T03:04:05Z added", "metadata.labels.app web -> shop", "metadata.labels.old x removed",
		"big 9007199254740993 -> 9007199254740992", "list [] added", "replicas 2 -> 4", "template.command[1] -v -> -q", "template.env.A 1 removed",
		"status.observed.seen 1 -> 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if same := candor.FieldChanges(was, was); len(same) > 0 {
		t.Errorf("a version differs from itself in %v", same)
	}
}

func TestFieldChangesOfWhatBeginsOrEnds(t *testing.T) {
	o := &candor.Object{Spec: []byte(`{"a":{"b":[1,{"c":true}]},"text":"two words"}`)}
	if got := candor.FieldChanges(nil, o); len(got) != 2 || got[0].Path != "spec.a.b" || got[1].String() != `text "two words" added` {
		t.Errorf("%v", got)
	}
	if got := candor.FieldChanges(o, nil); len(got) != 2 || len(got[0].Is) != 0 {
		t.Errorf("%v", got)
	}
	if got := candor.FieldChanges(nil, nil); len(got) != 0 {
		t.Errorf("%v", got)
	}
	long := &candor.Object{Spec: []byte(`{"text":"` + strings.Repeat("ä", 100) + `"}`)}
	if text := candor.FieldChanges(nil, long)[0].String(); len(text) > 70 || strings.ToValidUTF8(text, "?") != text {
		t.Errorf("%q", text)
	}
	// What is no JSON object differs as a whole, and nothing panics.
	odd := &candor.Object{Spec: []byte(`[1]`), Status: []byte(`3`), Observed: []byte(`{}`)}
	if got := candor.FieldChanges(odd, o); len(got) == 0 {
		t.Error("nothing differs")
	}
}
