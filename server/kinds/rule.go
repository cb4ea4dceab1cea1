package kinds

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// rule is what one schema demands of a value itself, as far as it can be
// proven on the text alone. It only ever proves: what it cannot prove may be
// valid still, and the library decides.
type rule struct {
	types    typeSet // 0 for any
	literals *literals

	minLength, maxLength int
	pattern              jsonschema.Regexp
	format               *jsonschema.Format

	bounded    bool
	low, high  int64
	multipleOf int64

	minItems, maxItems int
	unique             bool

	minMembers, maxMembers int
}

type typeSet uint8

const (
	typeObject typeSet = 1 << iota
	typeArray
	typeString
	typeNumber
	typeInteger
	typeBoolean
	typeNull
)

var typeSets = map[string]typeSet{
	"object": typeObject, "array": typeArray, "string": typeString, "number": typeNumber,
	"integer": typeInteger, "boolean": typeBoolean, "null": typeNull,
}

var typesOfNode = [...]typeSet{
	objectNode: typeObject, arrayNode: typeArray, stringNode: typeString, numberNode: typeNumber,
	trueNode: typeBoolean, falseNode: typeBoolean, nullNode: typeNull,
}

// literals are the scalars of an enum or const.
type literals struct {
	strings       [][]byte
	numbers       []string
	yes, no, null bool
}

// ruleOf reads the demands of a schema on a value itself. It is not provable
// if the schema demands more than a rule can prove. What it says of members
// and items is the shape's matter.
func ruleOf(s *jsonschema.Schema) (r *rule, provable bool) {
	r = &rule{maxLength: math.MaxInt, maxItems: math.MaxInt, maxMembers: math.MaxInt, low: math.MinInt64, high: math.MaxInt64}
	if s.Bool != nil {
		return r, *s.Bool
	}
	provable = s.AnyOf == nil && s.OneOf == nil && s.Not == nil && s.If == nil && s.Then == nil && s.Else == nil &&
		s.DynamicRef == nil && s.RecursiveRef == nil &&
		s.PropertyNames == nil && s.Dependencies == nil && s.DependentRequired == nil && s.DependentSchemas == nil &&
		s.UnevaluatedProperties == nil && s.UnevaluatedItems == nil &&
		s.Contains == nil && s.Items == nil && s.AdditionalItems == nil &&
		s.ContentEncoding == nil && s.ContentMediaType == nil && s.ContentSchema == nil && s.Extensions == nil
	if s.Types != nil {
		for _, name := range s.Types.ToStrings() {
			r.types |= typeSets[name]
		}
	}
	if s.Enum != nil {
		r.literals = literalsOf(s.Enum.Values)
	}
	if s.Const != nil {
		provable = provable && s.Enum == nil
		r.literals = literalsOf([]any{*s.Const})
	}
	r.pattern, r.format = s.Pattern, s.Format
	set(&r.minLength, s.MinLength)
	set(&r.maxLength, s.MaxLength)
	set(&r.minItems, s.MinItems)
	set(&r.maxItems, s.MaxItems)
	r.unique = s.UniqueItems
	set(&r.minMembers, s.MinProperties)
	set(&r.maxMembers, s.MaxProperties)
	return r, r.setBounds(s) && provable
}

func set(to, from *int) {
	if from != nil {
		*to = *from
	}
}

func literalsOf(values []any) *literals {
	l := &literals{}
	for _, value := range values {
		switch v := value.(type) {
		case string:
			l.strings = append(l.strings, []byte(v))
		case json.Number:
			l.numbers = append(l.numbers, string(v))
		case bool:
			l.yes, l.no = l.yes || v, l.no || !v
		case nil:
			l.null = true
		}
	}
	return l
}

// proves says whether node i surely keeps the rule, with so many members more.
func (r *rule) proves(w *walk, i int32, added int) bool {
	n := &w.document.nodes[i]
	if r.types != 0 && r.types&typesOfNode[n.kind] == 0 {
		integer := n.kind == numberNode && isInteger(w.document.raw(i))
		if !integer || r.types&typeInteger == 0 {
			return false
		}
	}
	if r.literals != nil && !r.literals.contain(w, i) {
		return false
	}
	switch n.kind {
	case objectNode:
		members := int(n.count) + added
		return members >= r.minMembers && members <= r.maxMembers
	case arrayNode:
		items := int(n.count)
		return items >= r.minItems && items <= r.maxItems && (!r.unique || items < 2)
	case stringNode:
		return r.provesString(w, i)
	case numberNode:
		return r.provesNumber(w.document.raw(i))
	default:
		return r.format == nil
	}
}

func (r *rule) provesString(w *walk, i int32) bool {
	bounded := r.minLength > 0 || r.maxLength < math.MaxInt
	if !bounded && r.pattern == nil && r.format == nil {
		return true
	}
	text := w.text(i)
	if bounded {
		length := utf8.RuneCount(text)
		if length < r.minLength || length > r.maxLength {
			return false
		}
	}
	if r.pattern != nil && !matches(r.pattern, text) {
		return false
	}
	return r.format == nil || r.format.Validate(string(text)) == nil
}

func matches(p jsonschema.Regexp, text []byte) bool {
	if own, ok := p.(*pattern); ok {
		return own.re.Match(text)
	}
	return p.MatchString(string(text))
}

func (r *rule) provesNumber(text []byte) bool {
	if r.format != nil && r.format.Validate(json.Number(text)) != nil {
		return false
	}
	if !r.bounded {
		return true
	}
	if !isInteger(text) || len(text) > 18 {
		return false
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return err == nil && n >= r.low && n <= r.high && (r.multipleOf == 0 || n%r.multipleOf == 0)
}

// isInteger says whether a number is written as an integer.
func isInteger(text []byte) bool { return !bytes.ContainsAny(text, ".eE") }

func (l *literals) contain(w *walk, i int32) bool {
	switch w.document.nodes[i].kind {
	case stringNode:
		text := w.text(i)
		for _, s := range l.strings {
			if bytes.Equal(s, text) {
				return true
			}
		}
	case numberNode:
		return slices.Contains(l.numbers, string(w.document.raw(i)))
	case trueNode:
		return l.yes
	case falseNode:
		return l.no
	case nullNode:
		return l.null
	case objectNode, arrayNode:
	}
	return false
}
