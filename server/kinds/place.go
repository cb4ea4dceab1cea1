package kinds

import (
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// element is one schema that applies at a place. A conditional one may or may
// not: it declares fields, and demands nothing that a shape could know.
type element struct {
	schema      *jsonschema.Schema
	conditional bool
}

// place is where a shape is to be: the schemas that apply there, and whether
// one around it preserves unknown fields.
type place struct {
	elements []element
	open     bool
}

// nothing is the schema of a field that may not be.
var nothing = &jsonschema.Schema{Bool: new(bool)}

// expand adds what the schemas of a place apply to the same value. What is
// below not and if only tests, and says nothing about which fields there are.
func (b *shaping) expand(p place) place {
	conditional := map[*jsonschema.Schema]bool{}
	var add func(s *jsonschema.Schema, under bool)
	add = func(s *jsonschema.Schema, under bool) {
		if before, ok := conditional[s]; ok && before == (before && under) {
			return
		}
		conditional[s] = under
		p.open = p.open || b.vetting.open[pointerOf(s.Location)]
		for _, sub := range append(appendSchema(nil, s.Ref), s.AllOf...) {
			add(sub, under)
		}
		for _, sub := range slices.Concat(s.AnyOf, s.OneOf, appendSchema(nil, s.Then, s.Else), slices.Collect(maps.Values(s.DependentSchemas))) {
			add(sub, true)
		}
	}
	for _, e := range p.elements {
		add(e.schema, e.conditional)
	}
	expanded := place{open: p.open}
	for s, under := range conditional {
		if s.Bool == nil || !*s.Bool {
			expanded.elements = append(expanded.elements, element{s, under})
		}
	}
	slices.SortFunc(expanded.elements, func(x, y element) int { return int(b.order[x.schema]) - int(b.order[y.schema]) })
	return expanded
}

// member is the place of a member: of a declared name, or of any other name;
// matched are the patterns that the name matches.
func (b *shaping) member(p place, name string, declared bool, patterns []string, matched int) place {
	below := place{open: p.open}
	for _, e := range p.elements {
		found := false
		take := func(s *jsonschema.Schema, conditional bool) {
			below.elements = append(below.elements, element{s, conditional})
			found = true
		}
		if sub, ok := e.schema.Properties[name]; ok && declared {
			take(sub, e.conditional)
		}
		for re, sub := range e.schema.PatternProperties {
			bit := slices.Index(patterns, re.String())
			if bit >= 0 && matched&(1<<bit) != 0 {
				take(sub, e.conditional)
			}
		}
		if found {
			continue
		}
		switch additional := e.schema.AdditionalProperties.(type) {
		case *jsonschema.Schema:
			take(additional, e.conditional)
		case bool:
			if !additional && !e.conditional {
				take(nothing, false)
			}
		default:
			if unevaluated := e.schema.UnevaluatedProperties; unevaluated != nil && unevaluated.Bool == nil {
				take(unevaluated, true)
			}
		}
	}
	return below
}

func (b *shaping) fillItems(s *shape, p place) {
	prefix := 0
	for _, e := range p.elements {
		prefix = max(prefix, len(e.schema.PrefixItems))
	}
	for index := range prefix {
		s.prefix = append(s.prefix, b.shape(b.item(p, index)))
	}
	s.items = b.shape(b.item(p, prefix))
}

func (b *shaping) item(p place, index int) place {
	below := place{open: p.open}
	for _, e := range p.elements {
		switch {
		case index < len(e.schema.PrefixItems):
			below.elements = append(below.elements, element{e.schema.PrefixItems[index], e.conditional})
		case e.schema.Items2020 != nil:
			below.elements = append(below.elements, element{e.schema.Items2020, e.conditional})
		case e.schema.UnevaluatedItems != nil && e.schema.UnevaluatedItems.Bool == nil:
			below.elements = append(below.elements, element{e.schema.UnevaluatedItems, true})
		}
	}
	return below
}

// tops are the schemas of a place that surely apply and that no other of them
// applies anyway.
func (p place) tops() (list []*jsonschema.Schema) {
	implied := map[*jsonschema.Schema]bool{}
	for _, e := range p.elements {
		for _, s := range append(appendSchema(nil, e.schema.Ref), e.schema.AllOf...) {
			implied[s] = implied[s] || !e.conditional
		}
	}
	for _, e := range p.elements {
		if !e.conditional && !implied[e.schema] {
			list = append(list, e.schema)
		}
	}
	return list
}
