package kinds

import (
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/candor-plane/candor"
)

// schema checks one part of an object. The zero schema accepts any object. It
// is immutable and may be used by many goroutines at once.
type schema struct {
	// tops must all accept the document; shape is theirs together.
	tops  []*jsonschema.Schema
	shape *shape
	cost  *cost
}

// location is where the schema document is for the library. Nothing is there.
const location = "candor:///schema"

// compile reads a schema document. The paths of faults are within it.
func compile(text []byte) (*schema, faults) {
	var wrong faults
	var d document
	if bad := d.parse(text); bad != nil {
		wrong.addf(bad.at, bad.path, "%s", bad.message)
		return nil, wrong
	}
	doc := d.value(0)
	v := vet(doc)
	if v.faults.any() {
		return nil, v.faults
	}
	root, err := compileLibrary(doc)
	if err != nil {
		return nil, v.explain(err, &d)
	}
	order, cyclic := sortByUse(reach(root), sameValue)
	if cyclic != nil {
		wrong.addf(0, v.pathOf(cyclic.Location), "refers to itself without going into a field or an item")
		return nil, wrong
	}
	cost := costOf(root, order)
	if cost == nil {
		wrong.addf(0, "", "too intricate: its schemas apply one another, to one value, too many times")
		return nil, wrong
	}
	shape, wrong := shapesOf(root, v, cost)
	if wrong.any() {
		return nil, wrong
	}
	return &schema{tops: []*jsonschema.Schema{root}, shape: shape, cost: cost}, faults{}
}

// compileLibrary compiles a vetted document. It loads nothing.
func compileLibrary(doc any) (s *jsonschema.Schema, err error) {
	defer contain(&err)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(compilePattern)
	c.AssertFormat()
	for _, f := range ownFormats {
		c.RegisterFormat(f)
	}
	if err := c.AddResource(location, doc); err != nil {
		return nil, err
	}
	return c.Compile(location)
}

// noLoader refuses to load what a schema refers to outside itself.
type noLoader struct{}

// Load is what the library calls.
func (noLoader) Load(url string) (any, error) {
	return nil, errors.New("nothing is loaded from outside the schema: " + quoted(url))
}

// explain turns the library's refusal of a schema into faults.
func (v *vetting) explain(err error, d *document) (wrong faults) {
	if invalid, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		err = invalid.Err
	}
	translation{document: d, faults: &wrong}.add(err)
	return wrong
}

// validate asks the library.
func validate(s *jsonschema.Schema, value any) (err error) {
	defer contain(&err)
	return s.Validate(value)
}

// contain keeps a panic of the library from ending the server.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the schema library failed: %v", r)
	}
}

// part is the schema of one member of the documents that s checks: the rest of
// s has no say in it. ok is false if s refuses such a member.
func (s *schema) part(name string) (part *schema, ok bool) {
	if s.shape == nil {
		return &schema{}, true
	}
	if f := s.shape.fields[name]; (f == nil || !f.declared) && s.shape.closed {
		return nil, false
	}
	part = &schema{shape: s.shape.field([]byte(name)), cost: s.cost}
	for _, top := range s.tops {
		for _, e := range membersOf(top, name) {
			if e.Bool != nil && !*e.Bool {
				return nil, false
			}
			part.tops = append(part.tops, e)
		}
	}
	return part, true
}

// membersOf are the schemas that s surely applies to its member called name.
func membersOf(s *jsonschema.Schema, name string) (list []*jsonschema.Schema) {
	found := false
	if sub, ok := s.Properties[name]; ok {
		list, found = append(list, sub), true
	}
	for re, sub := range s.PatternProperties {
		if re.MatchString(name) {
			list, found = append(list, sub), true
		}
	}
	if !found {
		switch additional := s.AdditionalProperties.(type) {
		case *jsonschema.Schema:
			list = append(list, additional)
		case bool:
			if !additional {
				list = append(list, nothing)
			}
		}
	}
	for _, same := range append(appendSchema(nil, s.Ref), s.AllOf...) {
		list = append(list, membersOf(same, name)...)
	}
	return list
}

// prepareOrAbsent treats absent text, and null, as an empty object that comes
// into being only if it has defaults.
func (s *schema) prepareOrAbsent(text []byte) ([]byte, faults) {
	if len(text) > 0 && string(text) != "null" {
		return s.prepare(text)
	}
	out, wrong := s.prepare([]byte("{}"))
	if string(out) == "{}" {
		return nil, wrong
	}
	return out, wrong
}

// prepare checks text and returns it compact and with its defaults: text
// itself where there is nothing to change, else fresh memory. The paths of
// faults begin below the document.
func (s *schema) prepare(text []byte) ([]byte, faults) {
	w := newWorkspace()
	defer w.release()
	var wrong faults
	d := &w.document
	if len(text) > candor.MaxObjectBytes {
		wrong.addf(0, "", "has %d bytes; at most %d are allowed", len(text), candor.MaxObjectBytes)
		return nil, wrong
	}
	if bad := d.parse(text); bad != nil {
		wrong.addf(bad.at, bad.path, "%s", bad.message)
		return nil, wrong
	}
	if kind := d.nodes[0].kind; kind != objectNode {
		wrong.addf(0, "", "got %s, want object", seen(d, 0))
		return nil, wrong
	}
	w.walk.run(d, s.shape)
	if size := w.walk.growth + len(text); size > candor.MaxObjectBytes && w.walk.growth > 0 {
		wrong.addf(0, "", "has more than %d bytes once its defaults are filled in", candor.MaxObjectBytes)
		return nil, wrong
	}
	out, added := text, len(w.walk.additions) > 0
	if d.spaced || added {
		out = d.appendCompact(make([]byte, 0, len(text)+w.walk.growth), w.walk.additions)
	}
	if w.walk.proven && !w.walk.unknown.any() {
		return out, wrong
	}
	if added {
		if bad := d.parse(out); bad != nil {
			wrong.addf(bad.at, bad.path, "%s", bad.message)
			return nil, wrong
		}
		w.walk.run(d, s.shape)
	}
	if wrong = s.examine(w); wrong.any() {
		return nil, wrong
	}
	return out, wrong
}

// examine has the library look at what could not be proven.
func (s *schema) examine(w *workspace) (wrong faults) {
	d := &w.document
	wrong = w.walk.unknown
	for _, top := range s.tops {
		if !s.cost.affordable(d, top) {
			wrong.addf(0, "", "takes more than %d steps to check against its schema", maxSteps)
			continue
		}
		translation{document: d, shape: s.shape, faults: &wrong}.add(validate(top, d.value(0)))
	}
	return wrong
}
