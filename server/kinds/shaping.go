package kinds

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Limits of what one schema may make of shapes.
const (
	maxShapes = 20_000
	// maxPatterns bounds the patterns of names at one place.
	maxPatterns = 4
)

// shaping builds the shapes of one schema document.
type shaping struct {
	vetting *vetting
	cost    *cost
	order   map[*jsonschema.Schema]uint32
	shapes  map[string]*shape
	queue   []*shape
	places  map[*shape]place
	faults  faults
}

// shapesOf builds the shape of documents that root describes.
func shapesOf(root *jsonschema.Schema, v *vetting, c *cost) (*shape, faults) {
	b := &shaping{
		vetting: v, cost: c,
		order: map[*jsonschema.Schema]uint32{}, shapes: map[string]*shape{}, places: map[*shape]place{},
	}
	for i, s := range reach(root) {
		b.order[s] = uint32(i + 1)
	}
	top := b.shape(place{elements: []element{{schema: root}}})
	for at := 0; at < len(b.queue); {
		if len(b.queue) > maxShapes {
			b.faults.addf(0, "", "too intricate: its schemas combine in more than %d ways", maxShapes)
			return nil, b.faults
		}
		b.fill(b.queue[at])
		at++
	}
	for _, s := range b.queue {
		for _, name := range s.names {
			if f := s.fields[name]; f.shape != nil && f.shape.fallback != nil {
				s.defaults = append(s.defaults, f)
			}
		}
	}
	for _, s := range b.queue {
		for _, f := range s.defaults {
			b.settle(f)
		}
	}
	return top, b.faults
}

// shape is the one for a place, to be filled later if it is new.
func (b *shaping) shape(p place) *shape {
	p = b.expand(p)
	if len(p.elements) == 0 {
		return nil
	}
	key := []byte{0}
	if p.open {
		key[0] = 1
	}
	for _, e := range p.elements {
		id := b.order[e.schema] << 1
		if e.conditional {
			id |= 1
		}
		key = binary.BigEndian.AppendUint32(key, id)
	}
	if s, ok := b.shapes[string(key)]; ok {
		return s
	}
	s := &shape{}
	b.shapes[string(key)] = s
	b.places[s] = p
	b.queue = append(b.queue, s)
	return s
}

func (b *shaping) fill(s *shape) {
	p := b.places[s]
	s.provable, s.fields = true, map[string]*field{}
	for _, e := range p.elements {
		if e.conditional {
			b.refuseDefault(e)
			continue
		}
		r, provable := ruleOf(e.schema)
		s.rules = append(s.rules, r)
		s.provable = s.provable && provable
		b.fallback(s, e)
	}
	b.fillNames(s, p)
	b.fillItems(s, p)
}

func (b *shaping) refuseDefault(e element) {
	if e.schema.Default != nil {
		b.faults.addf(0, b.vetting.pathOf(e.schema.Location)+".default",
			"would never apply where it is referred to below a condition such as anyOf or oneOf")
	}
}

func (b *shaping) fallback(s *shape, e element) {
	if e.schema.Default == nil {
		return
	}
	own := &fallback{value: *e.schema.Default, path: b.vetting.pathOf(e.schema.Location) + ".default"}
	if s.fallback == nil {
		s.fallback = own
		return
	}
	if string(marshal(s.fallback.value)) != string(marshal(own.value)) {
		b.faults.addf(0, own.path, "contradicts the default at %s", strings.TrimPrefix(s.fallback.path, "."))
	}
}

func (b *shaping) fillNames(s *shape, p place) {
	declares, opens := false, p.open
	var patterns []string
	byText := map[string]jsonschema.Regexp{}
	declared := map[string]bool{}
	for _, e := range p.elements {
		if e.schema.PropertyNames != nil {
			s.naming = append(s.naming, e.schema.PropertyNames.Location)
		}
		declares = declares || e.schema.Properties != nil
		opens = opens || e.schema.AdditionalProperties != nil || e.schema.PatternProperties != nil || e.schema.UnevaluatedProperties != nil
		for name := range e.schema.Properties {
			declared[name] = true
		}
		for re := range e.schema.PatternProperties {
			byText[re.String()] = re
		}
	}
	s.closed = declares && !opens
	s.names = slices.Sorted(maps.Keys(declared))
	patterns = slices.Sorted(maps.Keys(byText))
	if len(patterns) > maxPatterns {
		b.faults.addf(0, b.vetting.pathOf(p.elements[0].schema.Location), "%d patterns of names apply here; at most %d are allowed", len(patterns), maxPatterns)
		patterns = patterns[:maxPatterns]
	}
	for _, text := range patterns {
		s.patterns = append(s.patterns, byText[text])
	}
	for _, name := range s.names {
		matched := 0
		for bit, re := range s.patterns {
			if re.MatchString(name) {
				matched |= 1 << bit
			}
		}
		s.fields[name] = &field{name: name, slot: len(s.fields), declared: true, shape: b.shape(b.member(p, name, true, patterns, matched))}
	}
	for matched := range 1 << len(patterns) {
		s.others = append(s.others, b.shape(b.member(p, "", false, patterns, matched)))
	}
	b.require(s, p)
	s.slots = len(s.fields)
}

// require notes the names that an object needs, and refuses those that it may
// not have.
func (b *shaping) require(s *shape, p place) {
	for _, e := range p.elements {
		if e.conditional {
			continue
		}
		for _, name := range e.schema.Required {
			f := s.fields[name]
			if f == nil {
				f = &field{name: name, slot: len(s.fields)}
				s.fields[name] = f
			}
			if s.closed && !f.declared {
				b.faults.addf(0, b.vetting.pathOf(e.schema.Location)+".required", "names %s, which no properties declare: no object could pass%s",
					quoted(name), suggest(name, s.names))
			}
			s.required = append(s.required, f)
		}
	}
}
