package kinds

import (
	"cmp"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sameValue are the schemas that s applies to the value that it applies to.
func sameValue(s *jsonschema.Schema) []*jsonschema.Schema {
	var next []*jsonschema.Schema
	next = appendSchema(next, s.Ref, s.Not, s.If, s.Then, s.Else)
	next = append(next, s.AllOf...)
	next = append(next, s.AnyOf...)
	next = append(next, s.OneOf...)
	for _, sub := range s.DependentSchemas {
		next = append(next, sub)
	}
	return next
}

// inside are the schemas that s applies to members and items.
func inside(s *jsonschema.Schema) []*jsonschema.Schema {
	var next []*jsonschema.Schema
	for _, sub := range s.Properties {
		next = append(next, sub)
	}
	for _, sub := range s.PatternProperties {
		next = append(next, sub)
	}
	additional, _ := s.AdditionalProperties.(*jsonschema.Schema)
	next = appendSchema(next, additional, s.UnevaluatedProperties, s.PropertyNames, s.Items2020, s.Contains, s.UnevaluatedItems)
	return append(next, s.PrefixItems...)
}

func appendSchema(list []*jsonschema.Schema, more ...*jsonschema.Schema) []*jsonschema.Schema {
	for _, s := range more {
		if s != nil {
			list = append(list, s)
		}
	}
	return list
}

// reach lists root and all that it leads to, ordered by location.
func reach(root *jsonschema.Schema) []*jsonschema.Schema {
	seen := map[*jsonschema.Schema]bool{root: true}
	list := []*jsonschema.Schema{root}
	for at := 0; at < len(list); at++ {
		for _, next := range append(sameValue(list[at]), inside(list[at])...) {
			if !seen[next] {
				seen[next] = true
				list = append(list, next)
			}
		}
	}
	slices.SortFunc(list, func(a, b *jsonschema.Schema) int { return cmp.Compare(a.Location, b.Location) })
	return list
}

// sortByUse orders schemas so that each comes after all that edges leads it
// to. If some lead to themselves, it returns one that does.
func sortByUse(all []*jsonschema.Schema, edges func(*jsonschema.Schema) []*jsonschema.Schema) (order []*jsonschema.Schema, cyclic *jsonschema.Schema) {
	const visiting, done = 1, 2
	state := make(map[*jsonschema.Schema]uint8, len(all))
	var visit func(s *jsonschema.Schema)
	visit = func(s *jsonschema.Schema) {
		if state[s] == visiting && (cyclic == nil || s.Location < cyclic.Location) {
			cyclic = s
		}
		if state[s] != 0 {
			return
		}
		state[s] = visiting
		for _, next := range edges(s) {
			visit(next)
		}
		state[s] = done
		order = append(order, s)
	}
	for _, s := range all {
		visit(s)
	}
	return order, cyclic
}
