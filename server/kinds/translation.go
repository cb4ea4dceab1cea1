package kinds

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// translation puts what the library found into our words: the path of the
// value, what it is, what was wanted.
type translation struct {
	document *document
	shape    *shape // for suggestions; nil for none
	faults   *faults
}

// add adds what is wrong, nothing if err is nil.
func (t translation) add(err error) {
	var why *jsonschema.ValidationError
	switch {
	case err == nil:
	case errors.As(err, &why):
		before := len(t.faults.list) + t.faults.beyond
		t.violation(why)
		if len(t.faults.list)+t.faults.beyond == before {
			t.faults.addf(0, "", "does not satisfy its schema: %v", err)
		}
	default:
		t.faults.addf(0, "", "%v", err)
	}
}

func (t translation) violation(why *jsonschema.ValidationError) {
	switch why.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		for _, cause := range why.Causes {
			t.violation(cause)
		}
		return
	}
	if len(t.faults.list) >= maxKept {
		t.faults.beyond++
		return
	}
	d := t.document
	i := d.find(why.InstanceLocation)
	say := func(format string, args ...any) {
		t.faults.addf(int(d.nodes[i].start), d.path(i), format, args...)
	}
	switch k := why.ErrorKind.(type) {
	case *kind.AnyOf:
		say("matches none of the %d alternatives%s", len(why.Causes), t.alternatives(why.Causes))
	case *kind.OneOf:
		if len(k.Subschemas) > 1 {
			say("matches the alternatives %d and %d; want exactly one", k.Subschemas[0]+1, k.Subschemas[1]+1)
			return
		}
		say("matches none of the %d alternatives%s", len(why.Causes), t.alternatives(why.Causes))
	case *kind.Not:
		say("is what the schema excludes with not")
	case *kind.FalseSchema:
		if strings.HasSuffix(why.SchemaURL, "/unevaluatedProperties") {
			say("unknown field")
			return
		}
		say("is not allowed here")
	case *kind.Required:
		for _, name := range k.Missing {
			t.faults.addf(int(d.nodes[i].start), d.path(i)+keyPath(name), "required field is missing")
		}
	case *kind.DependentRequired:
		for _, name := range k.Missing {
			t.faults.addf(int(d.nodes[i].start), d.path(i)+keyPath(name), "required field is missing: %s is set", quoted(k.Prop))
		}
	case *kind.AdditionalProperties:
		t.unknown(why.InstanceLocation, i, k.Properties)
	case *kind.PropertyNames:
		t.name(why, k.Property)
	default:
		say("%s", t.demand(i, why.ErrorKind))
	}
}

// demand says what one value is and what it should be.
func (t translation) demand(i int32, what jsonschema.ErrorKind) string {
	d := t.document
	value := seen(d, i)
	switch k := what.(type) {
	case *kind.Type:
		return fmt.Sprintf("got %s, want %s", typed(d, i), strings.Join(k.Want, " or "))
	case *kind.Enum:
		return fmt.Sprintf("got %s, want one of %s", value, choices(k.Want))
	case *kind.Const:
		return fmt.Sprintf("got %s, want %s", value, choices([]any{k.Want}))
	case *kind.Format:
		return fmt.Sprintf("%s is no %s: %v", value, k.Want, k.Err)
	case *kind.Pattern:
		return fmt.Sprintf("%s does not match the pattern %s", value, quoted(k.Want))
	case *kind.Minimum:
		return fmt.Sprintf("%s is less than the minimum %s", value, decimal(k.Want))
	case *kind.Maximum:
		return fmt.Sprintf("%s is more than the maximum %s", value, decimal(k.Want))
	case *kind.ExclusiveMinimum:
		return fmt.Sprintf("%s is not more than %s", value, decimal(k.Want))
	case *kind.ExclusiveMaximum:
		return fmt.Sprintf("%s is not less than %s", value, decimal(k.Want))
	case *kind.MultipleOf:
		return fmt.Sprintf("%s is no multiple of %s", value, decimal(k.Want))
	case *kind.MinLength:
		return fmt.Sprintf("has %s; want at least %d", counted(k.Got, "character"), k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("has %s; want at most %d", counted(k.Got, "character"), k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("has %s; want at least %d", counted(k.Got, "item"), k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("has %s; want at most %d", counted(k.Got, "item"), k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("has %s; want at least %d", counted(k.Got, "field"), k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("has %s; want at most %d", counted(k.Got, "field"), k.Want)
	case *kind.UniqueItems:
		return fmt.Sprintf("items %d and %d are equal; want no two alike", k.Duplicates[0], k.Duplicates[1])
	case *kind.Contains:
		return "no item is as contains wants one"
	case *kind.MinContains:
		return fmt.Sprintf("has %s as contains wants them; want at least %d", counted(len(k.Got), "item"), k.Want)
	case *kind.MaxContains:
		return fmt.Sprintf("has %s as contains wants them; want at most %d", counted(len(k.Got), "item"), k.Want)
	default:
		return "violates " + strings.Join(what.KeywordPath(), "/")
	}
}

// unknown names fields that an explicit additionalProperties forbids.
func (t translation) unknown(location []string, i int32, names []string) {
	d := t.document
	var known []string
	if here := t.shape.at(location, d); here != nil {
		known = here.names
	}
	slices.Sort(names)
	for n, name := range names {
		hint := ""
		if n < maxFields {
			hint = suggest(name, known)
		}
		c, _ := d.child(i, name)
		t.faults.addf(int(d.nodes[c].start), d.path(c), "unknown field%s", hint)
	}
}

// name says why propertyNames refuses a field's name. The causes speak of the
// name, not of a place in the document.
func (t translation) name(why *jsonschema.ValidationError, property string) {
	d := t.document
	said := "the name is not allowed"
	var own document
	var causes faults
	if own.parse(marshal(property)) == nil {
		for _, cause := range why.Causes {
			cause.InstanceLocation = nil
			translation{document: &own, faults: &causes}.violation(cause)
		}
	}
	if causes.any() {
		said += ": " + causes.list[0].message
	}
	// In this one error the library (v6.0.3) shares the location with later
	// ones, which overwrite it: only its length is to be relied on.
	at := t.named(nil, 0, t.shape, len(why.InstanceLocation), why.SchemaURL, property)
	if len(at) == 0 {
		i := d.find(why.InstanceLocation)
		t.faults.addf(int(d.nodes[i].start), d.path(i)+keyPath(property), "%s", said)
	}
	for _, c := range at {
		t.faults.addf(int(d.nodes[c].start), d.path(c), "%s", said)
	}
}

// named finds the members called name of the objects at a depth whose names
// the schema at location judges.
func (t translation) named(found []int32, i int32, s *shape, depth int, location, name string) []int32 {
	d := t.document
	if s == nil {
		return found
	}
	if depth == 0 {
		if c, ok := d.child(i, name); ok && slices.Contains(s.naming, location) {
			found = append(found, c)
		}
		return found
	}
	c, kind := i+1, d.nodes[i].kind
	for index := range int(d.nodes[i].count) {
		below := s.item(index)
		if kind == objectNode {
			below = s.field(d.keyOf(c, nil))
		}
		found = t.named(found, c, below, depth-1, location, name)
		c = d.nodes[c].next
	}
	return found
}

// alternatives says of a few alternatives why each does not match.
func (t translation) alternatives(causes []*jsonschema.ValidationError) string {
	var b strings.Builder
	for n, cause := range causes[:min(len(causes), maxSaid)] {
		var why faults
		translation{t.document, t.shape, &why}.violation(cause)
		if !why.any() {
			continue
		}
		first := why.list[0]
		b.WriteString(map[bool]string{true: ": ", false: "; "}[b.Len() == 0])
		b.WriteString(strconv.Itoa(n+1) + ") ")
		if first.path != "" {
			b.WriteString(strings.TrimPrefix(first.path, ".") + ": ")
		}
		b.WriteString(first.message)
	}
	return b.String()
}

// typed is a value with its type, where the type is not plain to see.
func typed(d *document, i int32) string {
	switch d.nodes[i].kind {
	case stringNode, numberNode, trueNode, falseNode:
		return d.nodes[i].kind.String() + " " + seen(d, i)
	default:
		return seen(d, i)
	}
}

// seen is a value for a message: scalars as written, the rest by its type.
func seen(d *document, i int32) string {
	switch d.nodes[i].kind {
	case objectNode, arrayNode:
		return d.nodes[i].kind.String()
	case stringNode:
		return quoted(d.stringOf(i, nil))
	default:
		return clip(d.raw(i))
	}
}

// choices lists the values of an enum.
func choices(values []any) string {
	var list []string
	for _, v := range values[:min(len(values), maxFields)] {
		list = append(list, clip(marshal(v)))
	}
	if len(values) > maxFields {
		list = append(list, "…")
	}
	return strings.Join(list, ", ")
}

// decimal prints a bound exactly.
func decimal(r *big.Rat) string {
	if digits, exact := r.FloatPrec(); exact {
		return clip(r.FloatString(digits))
	}
	return clip(r.RatString())
}
