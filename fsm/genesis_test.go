package fsm

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

// schemaOf is one part of a built-in kind, as it is declared.
type schemaOf map[string]any

// at is the schema below a member, an element or a reference, with its definitions.
func (s schemaOf) at(root schemaOf, next any) schemaOf {
	below, _ := next.(map[string]any)
	if ref, ok := below["$ref"].(string); ok {
		defs, _ := root["$defs"].(map[string]any)
		below, _ = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	return below
}

// The schemas of the built-in kinds and the types of the vocabulary are two accounts
// of one thing: each member of the one is a member of the other, of the same type,
// required or optional alike.
func TestSchemasSayWhatTheVocabularySays(t *testing.T) {
	for kind, part := range map[candor.KindName]struct{ spec, status, observed any }{
		candor.KindNodes:             {candor.NodeSpec{}, candor.NodeStatus{}, candor.NodeObserved{}},
		candor.KindWorkloads:         {candor.WorkloadSpec{}, candor.WorkloadStatus{}, nil},
		candor.KindInstances:         {candor.InstanceSpec{}, candor.InstanceStatus{}, candor.InstanceObserved{}},
		candor.KindDisruptionBudgets: {candor.DisruptionBudgetSpec{}, candor.DisruptionBudgetStatus{}, nil},
		candor.KindPriorityClasses:   {candor.PriorityClassSpec{}, nil, nil},
		candor.KindFailurePolicies:   {candor.FailurePolicySpec{}, nil, nil},
		candor.KindFindings:          {struct{}{}, candor.FindingStatus{}, nil},
	} {
		spec := declared(t, kind)
		for name, of := range map[string]struct {
			schema json.RawMessage
			as     any
		}{"spec": {spec.Schema.Spec, part.spec}, "status": {spec.Schema.Status, part.status}} {
			var root schemaOf
			if err := json.Unmarshal(of.schema, &root); err != nil {
				t.Fatalf("%s %s: %v", kind, name, err)
			}
			if name == "status" {
				properties, _ := root["properties"].(map[string]any)
				if part.observed != nil {
					alike(t, string(kind)+" status.observed", root, root.at(root, properties["observed"]), reflect.TypeOf(part.observed))
				}
				delete(properties, "observed")
			}
			if of.as != nil {
				alike(t, string(kind)+" "+name, root, root, reflect.TypeOf(of.as))
			}
		}
	}
}

// declared is the spec of a built-in Kind object.
func declared(t *testing.T, kind candor.KindName) (spec candor.KindSpec) {
	t.Helper()
	for _, b := range builtins {
		if b.kind == candor.KindKinds && b.name == string(kind) {
			if err := json.Unmarshal(b.spec, &spec); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			if spec.Name() != kind {
				t.Fatalf("%s declares %s", kind, spec.Name())
			}
			return spec
		}
	}
	t.Fatalf("%s is not built in", kind)
	return spec
}

func alike(t *testing.T, path string, root, schema schemaOf, as reflect.Type) {
	t.Helper()
	for as.Kind() == reflect.Pointer {
		as = as.Elem()
	}
	want := map[reflect.Type][]any{
		reflect.TypeFor[candor.Share](): {[]any{"integer", "string"}}, reflect.TypeFor[candor.Duration](): {"string"},
		reflect.TypeFor[time.Time](): {"string"}, reflect.TypeFor[candor.Resources](): {"object"},
	}[as]
	if want == nil {
		switch as.Kind() {
		case reflect.Struct:
			members(t, path, root, schema, as)
			want = []any{"object"}
		case reflect.Slice:
			alike(t, path+"[]", root, root.at(root, schema["items"]), as.Elem())
			want = []any{"array"}
		case reflect.Map:
			want = []any{"object"}
		case reflect.String:
			want = []any{"string", nil} // nil where an enum says it
		case reflect.Bool:
			want = []any{"boolean"}
		default:
			want = []any{"integer"}
		}
	}
	if !slices.ContainsFunc(want, func(w any) bool { return reflect.DeepEqual(w, schema["type"]) }) {
		t.Errorf("%s: the schema says %v, the type is %s", path, schema["type"], as)
	}
	if schema["type"] == nil && schema["enum"] == nil {
		t.Errorf("%s: the schema says nothing of it", path)
	}
}

func members(t *testing.T, path string, root, schema schemaOf, as reflect.Type) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	fields := map[string]bool{}
	for _, f := range reflect.VisibleFields(as) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" {
			continue
		}
		fields[name] = true
		below := schema.at(root, properties[name])
		if below == nil {
			t.Errorf("%s: no schema for %s", path, name)
			continue
		}
		of := f.Type
		if strings.Contains(options, "string") {
			of = reflect.TypeFor[string]()
		}
		alike(t, path+"."+name, root, below, of)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !fields[name] {
			t.Errorf("%s: the schema has %s, %s has not", path, name, as)
		}
	}
	required, _ := schema["required"].([]any)
	for _, r := range required {
		if name, _ := r.(string); !fields[name] {
			t.Errorf("%s: %s is required, and no member", path, name)
		}
	}
	if as != reflect.TypeFor[candor.Condition]() && len(properties) > 0 && schema["additionalProperties"] != false {
		t.Errorf("%s: the schema is open", path)
	}
}

// Built-in objects are of built-in kinds, and their specs are of the vocabulary.
func TestThePoliciesThatEveryClusterHas(t *testing.T) {
	r := newRoot(t)
	for name, kind := range map[string]candor.KindName{"default-nodes": candor.KindNodes, "default-workloads": candor.KindWorkloads} {
		o := r.get(candor.Ref{Kind: candor.KindFailurePolicies, Name: name})
		if o == nil {
			t.Fatalf("%s is not built in", name)
		}
		var spec candor.FailurePolicySpec
		if err := json.Unmarshal(o.Spec, &spec); err != nil || spec.Kind != kind || spec.Objects != "" {
			t.Errorf("%s: %+v, %v", name, spec, err)
		}
		if res := r.write(remove(candor.KindFailurePolicies, "", name, "")); res.Reason != candor.ReasonInvalid {
			t.Errorf("%s can be deleted: %+v", name, res)
		}
		if res := r.update(candor.Ref{Kind: candor.KindFailurePolicies, Name: name}, func(o *candor.Object) { o.Metadata.Labels = map[string]string{"a": "b"} }); res.Reason != "" {
			t.Errorf("%s does not change: %+v", name, res)
		}
		if kind != candor.KindNodes {
			continue
		}
		for _, failure := range []candor.Failure{candor.FailureCrash, candor.FailurePartition} {
			m := spec.Mode(failure, "Heartbeat")
			if m == nil || time.Duration(m.DetectWithin) != 15*time.Second || m.Action != "Evict" || time.Duration(m.ActAfter) != 30*time.Second {
				t.Errorf("%s: %+v", failure, m)
			}
		}
	}
}
