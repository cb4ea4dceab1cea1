package candor_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
)

const full = `{
  "apiVersion": "apps.example/v1", "kind": "Deployment",
  "metadata": {
    "name": "web", "namespace": "default", "uid": "u-1", "generation": 3, "resourceVersion": "977",
    "creationTimestamp": "2026-11-01T10:00:00Z", "deletionTimestamp": "2026-11-02T10:00:00Z",
    "labels": {"app": "web"}, "annotations": {"note": "a<b"},
    "ownerReferences": [{"kind": "apps.example", "name": "o", "uid": "u-0", "controller": true}],
    "finalizers": ["example.com/hold"]
  },
  "spec": {"replicas": 3},
  "status": {"observed": {"running": 2}, "observedGeneration": 3, "phase": "Ready"}
}`

func TestObjectReadsAndWritesTheKubernetesForm(t *testing.T) {
	var o candor.Object
	if err := json.Unmarshal([]byte(full), &o); err != nil {
		t.Fatal(err)
	}
	want := candor.Object{
		APIVersion: "apps.example/v1", Kind: "Deployment",
		Metadata: candor.Metadata{
			Name: "web", Namespace: "default", UID: "u-1", Generation: 3, ResourceVersion: 977,
			CreationTime: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC),
			DeletionTime: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC),
			Labels:       map[string]string{"app": "web"}, Annotations: map[string]string{"note": "a<b"},
			Owners:     []candor.OwnerReference{{Kind: "apps.example", Name: "o", UID: "u-0", Controller: true}},
			Finalizers: []string{"example.com/hold"},
		},
		Spec: json.RawMessage(`{"replicas": 3}`), Observed: json.RawMessage(`{"running": 2}`),
		Status: json.RawMessage(`{"observedGeneration":3,"phase":"Ready"}`),
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Fatalf("read wrongly (-want +got):\n%s", diff)
	}
	if !o.Terminating() {
		t.Error("an object with a deletion time is terminating")
	}
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, []byte(full)), decoded(t, out)); diff != "" {
		t.Errorf("written wrongly (-want +got):\n%s", diff)
	}
}

func TestAbsentPartsStayAbsent(t *testing.T) {
	for _, text := range []string{
		`{"apiVersion":"v1","kind":"K","metadata":{"name":"a"}}`,
		`{"apiVersion":"v1","kind":"K","metadata":{"name":"a"},"spec":null,"status":null}`,
		`{"apiVersion":"v1","kind":"K","metadata":{"name":"a"},"status":{"observed":null}}`,
	} {
		var o candor.Object
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if o.Spec != nil || o.Status != nil || o.Observed != nil {
			t.Errorf("%s reads as spec %q, status %q, observed %q; want none", text, o.Spec, o.Status, o.Observed)
		}
		out, err := json.Marshal(o)
		if err != nil || string(out) != `{"apiVersion":"v1","kind":"K","metadata":{"name":"a"}}` {
			t.Errorf("%s is written as %s, %v", text, out, err)
		}
	}
}

func TestObjectRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for name, text := range map[string]string{
		"unknown field":             `{"kind":"K","metadata":{},"replicas":3}`,
		"unknown metadata":          `{"kind":"K","metadata":{"nam":"a"}}`,
		"unknown owner field":       `{"kind":"K","metadata":{"ownerReferences":[{"apiGroup":"v1"}]}}`,
		"field in another case":     `{"kind":"K","metadata":{},"Spec":{}}`,
		"metadata in another case":  `{"kind":"K","metadata":{"Name":"a"}}`,
		"field twice":               `{"kind":"K","spec":{"a":1},"spec":{"a":2}}`,
		"metadata field twice":      `{"kind":"K","metadata":{"name":"a","name":"b"}}`,
		"resourceVersion no number": `{"metadata":{"resourceVersion":"x"}}`,
		"resourceVersion negative":  `{"metadata":{"resourceVersion":"-1"}}`,
		"status no object":          `{"status":3}`,
		"metadata no object":        `{"metadata":3}`,
		"labels no map":             `{"metadata":{"labels":["a"]}}`,
		"label no string":           `{"metadata":{"labels":{"a":1}}}`,
		"no object":                 `[]`,
	} {
		var o candor.Object
		err := json.Unmarshal([]byte(text), &o)
		if candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: got %v, want INVALID", name, err)
		}
	}
	var o candor.Object
	if err := o.UnmarshalJSON([]byte(`{"kind":"A"} {"kind":"B"}`)); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("two values: got %v, want INVALID", err)
	}
}

func TestStatusJoinsAndSplits(t *testing.T) {
	for _, c := range []struct{ status, observed, joined string }{
		{``, ``, ``},
		{`{"phase":"Ready"}`, ``, `{"phase":"Ready"}`},
		{``, `{"n":1}`, `{"observed":{"n":1}}`},
		{`{"phase":"Ready"}`, `[1]`, `{"observed":[1],"phase":"Ready"}`},
	} {
		joined, err := candor.JoinStatus(json.RawMessage(c.status), json.RawMessage(c.observed))
		if err != nil || string(joined) != c.joined {
			t.Errorf("%s and %s join to %s, %v; want %s", c.status, c.observed, joined, err, c.joined)
		}
		status, observed, err := candor.SplitStatus(joined)
		if err != nil || string(status) != c.status || string(observed) != c.observed {
			t.Errorf("%s splits into %s and %s, %v", joined, status, observed, err)
		}
	}
	joined, err := candor.JoinStatus(json.RawMessage(`null`), json.RawMessage(`{}`))
	if err != nil || string(joined) != `{"observed":{}}` {
		t.Errorf("a status that is null: %s, %v", joined, err)
	}
	if _, err := candor.JoinStatus(json.RawMessage(`[]`), json.RawMessage(`{}`)); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("a status that is no object: got %v, want INVALID", err)
	}
}

func TestErrorOfALongUnknownFieldIsShort(t *testing.T) {
	var o candor.Object
	err := json.Unmarshal([]byte(`{"`+strings.Repeat("x", 100_000)+`":1}`), &o)
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("got an error of %d bytes", len(err.Error()))
	}
}

// FuzzObjectJSON: whatever is accepted as an object is written as JSON that
// reads as the same object.
func FuzzObjectJSON(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"status":{"observed":null,"a":"<"},"spec":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second candor.Object
		if json.Unmarshal(data, &first) != nil {
			return
		}
		out, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("accepted %q and cannot write it: %v", data, err)
		}
		if err := json.Unmarshal(out, &second); err != nil {
			t.Fatalf("wrote %s and does not accept it: %v", out, err)
		}
		again, err := json.Marshal(second)
		if err != nil || string(again) != string(out) {
			t.Fatalf("wrote %s and then %s, %v", out, again, err)
		}
	})
}

func decoded(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
