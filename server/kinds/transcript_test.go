package kinds_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/kinds"
)

// TestTranscripts checks what is accepted, what it becomes, and the text of
// every refusal. The commands of a transcript:
//
//	schema          declare Web of example.com with a spec schema
//	status-schema   declare it with a status schema
//	declare NAME    a Kind object with the spec that follows
//	update NAME     change a Kind object to the spec that follows
//	prepare         the spec of a Web
//	status          the status of a Web
//	observed        the observed part of a Web
//	object KIND     a whole object of a kind, printed as it would be stored
//	genesis NAME…   have kinds as every cluster has them
//	spec KIND NAME  an object of a built-in kind with the spec that follows
//	by-name NAME    look up a kind
//	by-type VERSION KIND
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		r, s := builtIn(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return command(t, r, s, d)
		})
	})
}

func command(t *testing.T, r *kinds.Registry, s *store, d *datadriven.TestData) string {
	arg := func(n int) string {
		if n >= len(d.CmdArgs) {
			return ""
		}
		return d.CmdArgs[n].String()
	}
	switch d.Cmd {
	case "schema":
		return answer("ok", declareWeb(t, r, s, candor.KindSchema{Spec: json.RawMessage(d.Input)}))
	case "status-schema":
		return answer("ok", declareWeb(t, r, s, candor.KindSchema{Status: json.RawMessage(d.Input)}))
	case "declare":
		return answer("ok", declare(t, r, s, arg(0), []byte(d.Input)))
	case "update":
		return update(t, r, s, arg(0), d.Input)
	case "prepare":
		o := webObject(d.Input)
		err := find(t, r, "webs.example.com").Prepare(o)
		return answer(string(o.Spec), err)
	case "status":
		out, err := find(t, r, "webs.example.com").PrepareStatus([]byte(d.Input))
		return answer(string(out), err)
	case "observed":
		out, err := find(t, r, "webs.example.com").PrepareObserved([]byte(d.Input))
		return answer(string(out), err)
	case "object":
		return object(t, find(t, r, candor.KindName(arg(0))), d.Input)
	case "genesis":
		for i := range d.CmdArgs {
			s.genesis(t, arg(i))
		}
		return answer("ok", nil)
	case "spec":
		return specOf(find(t, r, candor.KindName(arg(0))), arg(1), d.Input)
	case "by-name":
		k, err := r.ByName(candor.KindName(arg(0)))
		return found(k, err)
	case "by-type":
		k, err := r.ByType(arg(0), arg(1))
		return found(k, err)
	default:
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
		return ""
	}
}

func declareWeb(t *testing.T, r *kinds.Registry, s *store, schema candor.KindSchema) error {
	spec := map[string]any{
		"group": "example.com", "version": "v1", "scope": "Namespaced",
		"names": map[string]any{"kind": "Web", "plural": "webs"}, "schema": schema,
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	return declare(t, r, s, "webs.example.com", text)
}

func update(t *testing.T, r *kinds.Registry, s *store, name, text string) string {
	old := find(t, r, candor.KindName(name)).Spec()
	var spec candor.KindSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	if err := find(t, r, candor.KindKinds).CheckKindUpdate(old, spec); err != nil {
		return answer("", err)
	}
	return answer("ok", declare(t, r, s, name, []byte(text)))
}

func object(t *testing.T, k *kinds.Kind, text string) string {
	var o candor.Object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	if err := k.Prepare(&o); err != nil {
		return answer("", err)
	}
	out, err := json.Marshal(o)
	return answer(string(out), err)
}

func specOf(k *kinds.Kind, name, text string) string {
	o := &candor.Object{APIVersion: candor.APIVersion, Kind: k.Spec().Names.Kind, Metadata: candor.Metadata{Name: name}, Spec: json.RawMessage(text)}
	if err := k.Prepare(o); err != nil {
		return answer("", err)
	}
	return "ok"
}

func find(t *testing.T, r *kinds.Registry, name candor.KindName) *kinds.Kind {
	k, err := r.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func found(k *kinds.Kind, err error) string {
	if err != nil {
		return answer("", err)
	}
	return fmt.Sprintf("%s revision=%d %s %s namespaced=%t", k.Name(), k.Revision(), k.Spec().APIVersion(), k.Spec().Names.Kind, k.Namespaced())
}

// answer prints a result, or an error with the fields that its message leaves
// out.
func answer(result string, err error) string {
	if err == nil {
		if result == "" {
			return "(absent)"
		}
		return result
	}
	var e *candor.Error
	if !errors.As(err, &e) {
		return "no candor.Error: " + err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n%s\n", e.Reason, e.Subject, e.Message)
	if len(e.Fields) > 1 {
		for _, f := range e.Fields {
			fmt.Fprintf(&b, "  %s: %s\n", f.Path, f.Message)
		}
	}
	return b.String()
}
