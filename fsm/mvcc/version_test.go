package mvcc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/internal/wire"
)

// TestTheHashTellsVersionsApart: the state digest is a sum of these, so two
// versions that differ in anything that a reader may see must differ here.
func TestTheHashTellsVersionsApart(t *testing.T) {
	base := func() *mvcc.Version { return &mvcc.Version{Key: "default/a", Data: []byte("data"), Revision: 7} }
	same := base()
	same.Link(base())
	same.LinkSibling(base())
	same.Kind = 3 // an ordinal is a place in one state's table
	if base().Hash("a.b") != same.Hash("a.b") {
		t.Error("the hash depends on where a version is linked")
	}
	seen := map[any]string{base().Hash("a.b"): "the version"}
	for name, change := range map[string]func(*mvcc.Version){
		"its data":     func(v *mvcc.Version) { v.Data = []byte("dat4") },
		"its revision": func(v *mvcc.Version) { v.Revision = 8 },
		"its deletion": func(v *mvcc.Version) { v.Deleted = true },
	} {
		v := base()
		change(v)
		h := v.Hash("a.b")
		if other, taken := seen[h]; taken {
			t.Errorf("a version that differs in %s has the hash of %s", name, other)
		}
		seen[h] = name
	}
	if base().Hash("a.b") == base().Hash("a.c") {
		t.Error("versions of two kinds have one hash")
	}
}

func TestAVersionIsWhatWasStored(t *testing.T) {
	o := &candor.Object{APIVersion: "a/v1", Kind: "B", Spec: []byte(`{"n":1}`), Metadata: candor.Metadata{Name: "x", UID: "u"}}
	v := &mvcc.Version{Data: wire.AppendObject(nil, o)}
	got, err := v.Object()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, got); diff != "" {
		t.Error(diff)
	}
	v.Data = v.Data[:len(v.Data)-1]
	if _, err := v.Object(); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
		t.Errorf("a version cut short: %v", err)
	}
}
