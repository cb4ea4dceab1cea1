package kinds

import (
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// shape is what every schema that applies at one place of a document says of
// it together: which fields are known there, which are filled in, and which
// rules can be proven without the library. A nil shape is a place where
// anything goes. Shapes are immutable once built, and may be recursive.
type shape struct {
	rules []*rule
	// provable says that the rules are all that the schemas here demand, so
	// that a document which keeps them is valid.
	provable bool

	// fields are the names that mean something here; slots of them are counted
	// while an object is read.
	fields   map[string]*field
	slots    int
	required []*field
	defaults []*field
	// closed refuses a name that is not declared.
	closed bool
	names  []string // declared, in order, for suggestions

	// patterns of names; others holds the shape of an undeclared field, by the
	// set of patterns that its name matches, as bits.
	patterns []jsonschema.Regexp
	others   []*shape

	// naming are the locations of the schemas that every name must satisfy.
	naming []string

	prefix []*shape
	items  *shape

	// fallback is the default of a field that has this shape.
	fallback *fallback
}

// fallback is a default as its schema has it.
type fallback struct {
	value any
	path  string // of the default, within the schema document
	// text is the default with the defaults of its own fields.
	text  []byte
	state settling
}

// field is a name that means something at a place.
type field struct {
	name     string
	slot     int
	declared bool
	shape    *shape
	// member is the text that the default adds, key and colon included.
	member []byte
}

// settling is how far a default is worked out.
type settling uint8

const (
	unsettled settling = iota
	underway
	settled
)

// other is the shape of an undeclared field.
func (s *shape) other(name []byte) *shape {
	if len(s.patterns) == 0 {
		return s.others[0]
	}
	matched := 0
	for bit, p := range s.patterns {
		if p.MatchString(string(name)) {
			matched |= 1 << bit
		}
	}
	return s.others[matched]
}

// item is the shape of the item at index.
func (s *shape) item(index int) *shape {
	if index < len(s.prefix) {
		return s.prefix[index]
	}
	return s.items
}

// at is the shape at a location below s, as the schema library names it; nil
// where anything goes.
func (s *shape) at(location []string, d *document) *shape {
	i := int32(0)
	for _, step := range location {
		next, found := d.child(i, step)
		if s == nil || !found {
			return nil
		}
		if d.nodes[i].kind == arrayNode {
			index, _ := strconv.Atoi(step) // child found it
			s = s.item(index)
		} else {
			s = s.field([]byte(step))
		}
		i = next
	}
	return s
}

// field is the shape of the member that is called name.
func (s *shape) field(name []byte) *shape {
	if f := s.fields[string(name)]; f != nil && f.declared {
		return f.shape
	}
	return s.other(name)
}
