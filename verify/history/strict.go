package history

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
)

// shape is the field names that an object may have, exactly as they are spelt,
// each with the shape of its value; nil is a value that is no object. The name
// anyName stands for every name that is not there.
type shape map[string]shape

// anyName is no field of any type here.
const anyName = "*"

// opaque is a value that reads itself: of it only a name that is there twice is refused.
var opaque = func() shape {
	s := shape{}
	s[anyName] = s
	return s
}()

// shapeOf is that of a type as encoding/json sees it.
func shapeOf(t reflect.Type) shape {
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.Slice:
		if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			return opaque
		}
		return shapeOf(t.Elem())
	case reflect.Map:
		return shape{anyName: shapeOf(t.Elem())}
	case reflect.Struct:
		if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			return opaque
		}
		s := shape{}
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			inner := shapeOf(field.Type)
			if field.Anonymous && name == "" {
				maps.Copy(s, inner)
				continue
			}
			s[name] = inner
		}
		return s
	default:
		return nil
	}
}

// strict decodes lines of one shape. encoding/json ignores the case of names
// and lets the last of two fields win; a record that is evidence must not be
// read two ways.
type strict struct {
	shape shape
	open  []level
}

// level is an object or array that is open.
type level struct {
	shape shape // of the object, or of the array's elements
	array bool
	seen  [][]byte // names
}

func newStrict[T any]() *strict { return &strict{shape: shapeOf(reflect.TypeFor[T]())} }

// Strict decodes JSON of type T as lines of a history are read: a field that is
// unknown, spelt in another case or given twice is an error of reason INVALID. It
// belongs to one goroutine.
type Strict[T any] struct{ strict *strict }

// NewStrict returns a decoder.
func NewStrict[T any]() *Strict[T] { return &Strict[T]{newStrict[T]()} }

// Decode reads one JSON value.
func (s *Strict[T]) Decode(line []byte, into *T) error { return s.strict.decode(line, into) }

// decode reads one JSON value into v.
func (s *strict) decode(line []byte, v any) error {
	if err := json.Unmarshal(line, v); err != nil {
		return invalid("%v", err)
	}
	return s.check(line)
}

// check refuses a name that is not of the shape, or is twice in one object. The
// line must be valid JSON and decode.
func (s *strict) check(line []byte) error {
	s.open = s.open[:0]
	next := s.shape // of the value that comes
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '{', '[':
			s.push(next, line[i] == '[')
		case '}', ']':
			s.open = s.open[:len(s.open)-1]
		case '"':
			text := quoted(line[i:])
			i += len(text) + 1
			if !isName(line[i+1:]) {
				continue
			}
			var err error
			if next, err = s.name(text); err != nil {
				return err
			}
		}
		if n := len(s.open); n > 0 && s.open[n-1].array {
			next = s.open[n-1].shape
		}
	}
	return nil
}

func (s *strict) push(of shape, array bool) {
	if len(s.open) < cap(s.open) {
		s.open = s.open[:len(s.open)+1]
	} else {
		s.open = append(s.open, level{})
	}
	top := &s.open[len(s.open)-1]
	top.shape, top.array, top.seen = of, array, top.seen[:0]
}

func (s *strict) name(text []byte) (shape, error) {
	top := &s.open[len(s.open)-1]
	of, known := top.shape[string(text)]
	if !known {
		of, known = top.shape[anyName]
	}
	if !known {
		return nil, invalid("field %q is unknown", text)
	}
	for _, name := range top.seen {
		if bytes.Equal(name, text) {
			return nil, invalid("field %q is given twice", text)
		}
	}
	top.seen = append(top.seen, text)
	return of, nil
}

// quoted is what is between the quotes of the string that the text begins with.
func quoted(text []byte) []byte {
	end := 1
	for text[end] != '"' {
		if text[end] == '\\' {
			end++
		}
		end++
	}
	return text[1:end]
}

// isName says whether what follows a string makes it a name.
func isName(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r")
	return len(rest) > 0 && rest[0] == ':'
}
