package fsm

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

func declare(plural, group, kind string) command.Operation {
	spec := `{"group":"` + group + `","version":"v1","scope":"Namespaced","names":{"kind":"` + kind + `","plural":"` + plural + `"}}`
	return command.Operation{Verb: command.VerbCreate, Kind: candor.KindKinds, Object: object("Kind", "", plural+"."+group, spec)}
}

func TestTwoKindObjectsCannotDeclareOneKind(t *testing.T) {
	r := newRoot(t)
	// Both were validated before either was there, and come in one entry.
	first, second := r.writeCommand(declare("gears", "shop", "Gear")), r.writeCommand(declare("cogs", "shop", "Gear"))
	res := r.entry(first, second)
	if res[0].Err() != nil || res[1].Reason != candor.ReasonConflict || len(res[1].Fields) != 1 || !strings.Contains(res[1].Message, "kinds/gears.shop") {
		t.Fatalf("results %+v", res)
	}
	if r.get(candor.Ref{Kind: candor.KindKinds, Name: "cogs.shop"}) != nil {
		t.Error("the refused Kind object is there")
	}
	for name, op := range map[string]command.Operation{
		"another kind of the group":        declare("cogs", "shop", "Cog"),
		"the same kind, of another group":  declare("gears", "mill", "Gear"),
		"a kind that differs in case only": declare("gearz", "shop", "GEAR"),
	} {
		if err := r.write(op); err.Err() != nil {
			t.Errorf("%s: %v", name, err.Err())
		}
	}
	if res := r.write(declare("axles", "mill", "Axle"), declare("shafts", "mill", "Axle")); res.Reason != candor.ReasonConflict {
		t.Errorf("both in one transaction: %+v", res)
	}
	cogs := candor.Ref{Kind: candor.KindKinds, Name: "cogs.shop"}
	if res := r.update(cogs, func(o *candor.Object) { o.Spec = declare("cogs", "shop", "Gear").Object.Spec }); res.Reason != candor.ReasonConflict {
		t.Errorf("by an update: %+v", res)
	}
	r.mustWrite(remove(candor.KindKinds, "", "gears.shop", ""))
	if res := r.update(cogs, func(o *candor.Object) { o.Spec = declare("cogs", "shop", "Gear").Object.Spec }); res.Err() != nil {
		t.Errorf("after the other was deleted: %v", res.Err())
	}
	wantSame(t, "replay", r.m, r.replayed())
}

// The reader by hand agrees with a JSON decoder on every spec, however it is
// spaced, nested and escaped.
func TestTheDeclaredKindIsReadAsADecoderReadsIt(t *testing.T) {
	for spec, want := range map[string]string{
		``: "", `{}`: "", `[]`: "", `{"names":1}`: "", `{"names":{"kind":1}}`: "", `{"names":{"kind":"A"`: "", `{"names":`: "", `"names"`: "",
		`{"names":{"kind":"\u0041b"}}`: "Ab", `{ "a" : {"names":{"kind":"X"}} , "names" : { "kind" : "Y" } }`: "Y",
	} {
		if got := declaredKind([]byte(spec)); got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		// Whatever the bytes, it ends.
		declaredKind(rapid.SliceOf(rapid.SampledFrom([]byte(`{}[]",:\ names kind`))).Draw(t, "bytes"))
	})
	rapid.Check(t, func(t *rapid.T) {
		type names struct {
			Before any    `json:"before"`
			Kind   string `json:"kind"`
		}
		filler := rapid.SampledFrom([]any{nil, 1, "}{\"", []any{"]", map[string]any{"kind": "Z"}}, map[string]any{"names": map[string]any{"kind": "Q"}}, true})
		kind := rapid.StringMatching(`[A-Z][A-Za-z0-9]{0,8}`).Draw(t, "kind")
		spec := map[string]any{"a": filler.Draw(t, "a"), "names": names{filler.Draw(t, "before"), kind}, "z": filler.Draw(t, "z")}
		text, err := json.Marshal(spec)
		if rapid.Bool().Draw(t, "indented") {
			text, err = json.MarshalIndent(spec, " ", "\t")
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := declaredKind(text); got != kind {
			t.Fatalf("%s: %q", text, got)
		}
	})
}
