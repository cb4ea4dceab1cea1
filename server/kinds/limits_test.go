package kinds_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/candor-plane/candor"
)

// An object over the limit is refused with the limit and its size, whichever
// part of it is too large.
func TestRefusesObjectsOverTheLimit(t *testing.T) {
	k := mustWeb(t, "", "")
	large := `{"text":"` + strings.Repeat("x", candor.MaxObjectBytes) + `"}`
	half := json.RawMessage(`{"text":"` + strings.Repeat("x", candor.MaxObjectBytes/2) + `"}`)
	annotated := webObject(string(half))
	annotated.Metadata.Annotations = map[string]string{"example.com/note": strings.Repeat("y", candor.MaxObjectBytes/2)}
	reported := webObject(string(half))
	reported.Status = half
	for name, o := range map[string]*candor.Object{"spec": webObject(large), "annotations": annotated, "status": reported} {
		err := k.Prepare(o)
		invalid(t, err)
		if !strings.Contains(err.Error(), "at most 262144 are allowed") || !strings.Contains(err.Error(), " bytes; ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := k.PrepareStatus([]byte(large)); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("status: %v", err)
	}
}

// Defaults cannot make an object larger than it may be: neither many small
// ones nor one that holds others that hold others.
func TestDefaultsStayWithinTheLimit(t *testing.T) {
	long := strings.Repeat("d", 1000)
	k := mustWeb(t, `{"properties":{"list":{"items":{"type":"object","properties":{"a":{"default":"`+long+`"}}}}}}`, "")
	err := k.Prepare(webObject(`{"list":[` + strings.Repeat(`{},`, 2000) + `{}]}`))
	invalid(t, err)
	if !strings.Contains(err.Error(), "once its defaults are filled in") {
		t.Error(err)
	}
	var defs []string
	for level := range 12 {
		var fields []string
		for field := range 10 {
			fields = append(fields, fmt.Sprintf(`"f%d":{"$ref":"#/$defs/l%d"}`, field, level+1))
		}
		defs = append(defs, fmt.Sprintf(`"l%d":{"type":"object","default":{},"properties":{%s}}`, level, strings.Join(fields, ",")))
	}
	defs = append(defs, `"l12":{"type":"object","default":{}}`)
	_, err = web(t, `{"properties":{"top":{"$ref":"#/$defs/l0"}},"$defs":{`+strings.Join(defs, ",")+`}}`, "")
	invalid(t, err)
	if !strings.Contains(err.Error(), "once the defaults of its fields are filled in") {
		t.Error(err)
	}
}

// A refusal of much is made of little: what is wrong a hundred thousand times
// is counted, and told twenty times.
func TestCountsViolationsThatItDoesNotList(t *testing.T) {
	k := mustWeb(t, `{"properties":{"list":{"items":{"type":"string"}}}}`, "")
	err := k.Prepare(webObject(`{"list":[` + strings.Repeat("1,", 100_000) + `1]}`))
	invalid(t, err)
	if e, ok := errors.AsType[*candor.Error](err); !ok || !strings.HasPrefix(e.Message, "100001 violations: ") || len(e.Fields) != 20 {
		t.Error(err)
	}
}

// Nothing is remembered between two objects that use the same memory.
func TestPreparationsDoNotMeet(t *testing.T) {
	k := mustWeb(t, benchSchema, "")
	for range 100 {
		refused := webObject(`{"image":"","zzz":1}`)
		if k.Prepare(refused) == nil || string(refused.Spec) != `{"image":"","zzz":1}` {
			t.Fatalf("%s", refused.Spec)
		}
		o := webObject(`{"image":"a"}`)
		must(t, k.Prepare(o))
		kept := o.Spec
		must(t, k.Prepare(webObject(benchSpec)))
		if string(kept) != `{"image":"a","replicas":1,"strategy":"Rolling"}` {
			t.Fatalf("%s", kept)
		}
	}
}

// The write path has a budget: no memory where nothing is added, the new spec
// alone where something is.
func TestPrepareMakesNoGarbage(t *testing.T) {
	if raced {
		t.Skip("the race detector makes garbage of its own; run without -race")
	}
	k := mustWeb(t, benchSchema, "")
	o := webObject("")
	for spec, most := range map[string]float64{benchSpec: 0, `{"image":"a"}`: 1, `{ "image":"a" }`: 1} {
		got := testing.AllocsPerRun(200, func() {
			o.Spec = json.RawMessage(spec)
			must(t, k.Prepare(o))
		})
		// The spec itself is one allocation of the test.
		if got > most+1 {
			t.Errorf("%s: %v allocations, want at most %v", spec, got, most+1)
		}
	}
}

// The fields of the library's Schema, each accounted for where a shape claims
// to prove what a schema demands. A new one is a keyword that a proof would
// overlook: add it to ruleOf, graph.go and cost.go, then here.
func TestEveryKeywordOfTheLibraryIsAccountedFor(t *testing.T) {
	known := strings.Fields(`
		DraftVersion Location Bool ID Ref Anchor RecursiveRef RecursiveAnchor DynamicRef DynamicAnchor Types Enum Const
		Not AllOf AnyOf OneOf If Then Else Format MaxProperties MinProperties Required PropertyNames Properties
		PatternProperties AdditionalProperties Dependencies DependentRequired DependentSchemas UnevaluatedProperties
		MinItems MaxItems UniqueItems Contains MinContains MaxContains Items AdditionalItems PrefixItems Items2020
		UnevaluatedItems MinLength MaxLength Pattern ContentEncoding ContentMediaType ContentSchema Maximum Minimum
		ExclusiveMaximum ExclusiveMinimum MultipleOf Extensions Title Description Default Comment ReadOnly WriteOnly
		Examples Deprecated`)
	have := map[string]bool{}
	for _, name := range known {
		have[name] = true
	}
	for field := range reflect.TypeFor[jsonschema.Schema]().Fields() {
		if field.IsExported() && !have[field.Name] {
			t.Errorf("the library knows %s, this package does not", field.Name)
		}
	}
}
