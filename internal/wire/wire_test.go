package wire

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
)

func text(t *rapid.T, label string) string { return rapid.StringN(0, 40, 200).Draw(t, label) }

func drawObject(t *rapid.T) *candor.Object {
	o := &candor.Object{APIVersion: text(t, "api"), Kind: text(t, "kind")}
	m := &o.Metadata
	m.Name, m.Namespace, m.UID = text(t, "name"), text(t, "ns"), text(t, "uid")
	m.Generation, m.ResourceVersion, m.CreateRevision = rapid.Uint64().Draw(t, "gen"), rapid.Uint64().Draw(t, "rv"), rapid.Uint64().Draw(t, "cr")
	if rapid.Bool().Draw(t, "time") {
		m.CreationTime = time.Unix(rapid.Int64Range(1, 1<<40).Draw(t, "sec"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
		m.DeletionTime = m.CreationTime.Add(time.Second)
	}
	m.Labels = rapid.MapOfN(rapid.String(), rapid.String(), 1, 30).Draw(t, "labels")
	m.Owners = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) candor.OwnerReference {
		return candor.OwnerReference{Kind: candor.KindName(text(t, "k")), Name: text(t, "n"), UID: text(t, "u"), Controller: rapid.Bool().Draw(t, "c"), BlockOwnerDeletion: rapid.Bool().Draw(t, "b")}
	}), 1, 3).Draw(t, "owners")
	m.Finalizers = rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "finalizers")
	o.Spec = rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(t, "spec")
	o.Status = rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "status")
	o.Observed = rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "observed")
	o.Cause = &candor.Cause{
		Actor: text(t, "actor"), Duty: text(t, "duty"), Era: rapid.Uint64().Draw(t, "era"), PriorRevision: 3,
		ReadToken: candor.Token{Term: 1, Index: rapid.Uint64().Draw(t, "i"), Revision: 7}, Reason: text(t, "r"), Message: text(t, "m"),
		Because: &candor.VersionRef{Ref: candor.Ref{Kind: "a.b", Namespace: "x", Name: "y"}, Revision: 9},
	}
	return o
}

func TestDecodingGivesBackWhatWasEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawObject(t)
		b := AppendObject(nil, o)
		got, err := DecodeObject(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, got); diff != "" {
			t.Fatal(diff)
		}
		if again := AppendObject(nil, got); string(again) != string(b) {
			t.Fatal("equal objects have different bytes")
		}
		if diff := cmp.Diff(o.Metadata.Labels, DecodeLabels(b)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzDecodeObjectNeverPanics(f *testing.F) {
	f.Add(AppendObject(nil, &candor.Object{APIVersion: "a/v1", Kind: "B", Spec: []byte(`{}`)}))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := DecodeObject(data)
		DecodeLabels(data)
		if err == nil {
			if _, err := DecodeObject(AppendObject(nil, o)); err != nil {
				t.Fatalf("re-encoded object is refused: %v", err)
			}
		}
	})
}
