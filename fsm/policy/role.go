package policy

import (
	"slices"
	"strings"

	"github.com/candor-plane/candor/fsm/literal"
)

// Role is what a Role object allows.
type Role struct {
	Name  string
	rules []rule
}

// rule allows the verbs of its mask on what it names.
type rule struct {
	verbs       uint8
	sections    uint8
	everyObject bool
	everySystem bool
	kinds       []string
	// namespaces and prefixes that are nil do not bound.
	namespaces []string
	prefixes   []string
}

func (r *Role) allows(ask *Ask) bool {
	for i := range r.rules {
		if r.rules[i].allows(ask) {
			return true
		}
	}
	return false
}

func (r *rule) allows(ask *Ask) bool {
	switch {
	case r.verbs&bit(Verbs, ask.Verb) == 0:
		return false
	case !r.coversKind(ask.Kind):
		return false
	case r.namespaces != nil && !slices.Contains(r.namespaces, ask.Namespace):
		return false
	case r.prefixes != nil && (ask.Name == "" || !slices.ContainsFunc(r.prefixes, func(p string) bool { return strings.HasPrefix(ask.Name, p) })):
		return false
	case ask.Verb != Create && ask.Verb != Update:
		return true
	case ask.Section == "":
		return r.sections&bit(sections, Spec) != 0
	default:
		return r.sections&bit(sections, ask.Section) != 0
	}
}

func (r *rule) coversKind(kind string) bool {
	switch {
	case strings.HasPrefix(kind, systemPrefix):
		if r.everySystem {
			return true
		}
	case r.everyObject && !accessKind(kind):
		return true
	}
	return slices.Contains(r.kinds, kind)
}

// bit is the place of one of all in a mask; none for what is not among them.
func bit[T comparable](all []T, one T) uint8 {
	if i := slices.Index(all, one); i >= 0 {
		return 1 << i
	}
	return 0
}

// mask is that of several words, "*" being all; not ok with a word that is unknown,
// or with none.
func mask[T ~string](all []T, words []string) (uint8, bool) {
	var m uint8
	for _, w := range words {
		b := bit(all, T(w))
		if w == every {
			b = 1<<len(all) - 1
		}
		if b == 0 {
			return 0, false
		}
		m |= b
	}
	return m, m != 0
}

// readRole reads a Role's spec. Rules that cannot be read whole are left out.
func readRole(name string, spec []byte) *Role {
	r := &Role{Name: name}
	elements, _ := literal.Elements(literal.Member(spec, "rules"))
	for _, e := range elements {
		if one, ok := readRule(e); ok {
			r.rules = append(r.rules, one)
		}
	}
	return r
}

func readRule(text []byte) (rule, bool) {
	var r rule
	if !literal.Plain(text) {
		// A bound whose name hides behind an escape must not be taken for none.
		return r, false
	}
	verbs, ok := literal.Texts(literal.Member(text, "verbs"))
	if !ok {
		return r, false
	}
	if r.verbs, ok = mask(Verbs, verbs); !ok {
		return r, false
	}
	kinds, ok := literal.Texts(literal.Member(text, "kinds"))
	if !ok || len(kinds) == 0 {
		return r, false
	}
	for _, k := range kinds {
		switch k {
		case every:
			r.everyObject = true
		case everySystem:
			r.everySystem = true
		default:
			r.kinds = append(r.kinds, k)
		}
	}
	if r.namespaces, ok = bound(text, "namespaces"); !ok {
		return r, false
	}
	if r.prefixes, ok = bound(text, "namePrefixes"); !ok {
		return r, false
	}
	named, ok := bound(text, "sections")
	switch {
	case !ok:
		return r, false
	case named == nil:
		r.sections = bit(sections, Spec)
		return r, true
	}
	r.sections, ok = mask(sections, named)
	return r, ok
}

// bound is a list that may be absent. One that is there and empty, or not a list
// of texts, is not ok: it was meant to bound, and nobody knows to what.
func bound(text []byte, name string) ([]string, bool) {
	member := literal.Member(text, name)
	if member == nil {
		return nil, true
	}
	texts, ok := literal.Texts(member)
	return texts, ok && len(texts) > 0
}
