package candor

import (
	"slices"
	"strings"
)

// Selector matches labels: every requirement must hold. The zero Selector
// matches everything. It is immutable after ParseSelector and may be shared.
type Selector struct {
	requirements []requirement
}

type requirement struct {
	key    string
	op     selectorOp
	values []string
}

type selectorOp uint8

const (
	opIn selectorOp = iota
	opNotIn
	opExists
	opNotExists
)

// ParseSelector reads the Kubernetes form: "a=b,c!=d,e in (f,g),h notin (i),j,!k".
func ParseSelector(text string) (Selector, error) {
	var s Selector
	for _, part := range splitRequirements(text) {
		r, err := parseRequirement(strings.TrimSpace(part))
		if err != nil {
			return Selector{}, err
		}
		s.requirements = append(s.requirements, r)
	}
	return s, nil
}

// Empty says whether the selector matches everything.
func (s Selector) Empty() bool { return len(s.requirements) == 0 }

// Matches says whether labels satisfy every requirement.
func (s Selector) Matches(labels map[string]string) bool {
	for _, r := range s.requirements {
		value, has := labels[r.key]
		if !r.matches(value, has) {
			return false
		}
	}
	return true
}

func (r requirement) matches(value string, has bool) bool {
	switch r.op {
	case opIn:
		return has && slices.Contains(r.values, value)
	case opNotIn:
		return !has || !slices.Contains(r.values, value)
	case opExists:
		return has
	default:
		return !has
	}
}

// splitRequirements cuts at commas outside parentheses.
func splitRequirements(text string) []string {
	var parts []string
	depth, start := 0, 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
	}
	if rest := text[start:]; strings.TrimSpace(rest) != "" || len(parts) > 0 {
		parts = append(parts, rest)
	}
	return parts
}

func parseRequirement(text string) (requirement, error) {
	bad := func() (requirement, error) {
		return requirement{}, invalidField("labelSelector", "%q: want key, !key, key=value, key!=value, key in (a,b) or key notin (a,b)", clip(text))
	}
	var r requirement
	switch {
	case strings.HasSuffix(text, ")"):
		head, list, ok := strings.Cut(strings.TrimSuffix(text, ")"), "(")
		words := strings.Fields(head)
		if !ok || len(words) != 2 || (words[1] != "in" && words[1] != "notin") {
			return bad()
		}
		r = requirement{key: words[0], op: opIn}
		if words[1] == "notin" {
			r.op = opNotIn
		}
		for value := range strings.SplitSeq(list, ",") {
			r.values = append(r.values, strings.TrimSpace(value))
		}
	case strings.HasPrefix(text, "!"):
		r = requirement{key: strings.TrimSpace(text[1:]), op: opNotExists}
	case strings.Contains(text, "!="):
		key, value, _ := strings.Cut(text, "!=")
		r = requirement{key: strings.TrimSpace(key), op: opNotIn, values: []string{strings.TrimSpace(value)}}
	case strings.Contains(text, "="):
		key, value, _ := strings.Cut(text, "=")
		r = requirement{key: strings.TrimSpace(key), op: opIn, values: []string{strings.TrimSpace(strings.TrimPrefix(value, "="))}}
	default:
		r = requirement{key: text, op: opExists}
	}
	if checkLabelKey("labelSelector", r.key) != nil {
		return bad()
	}
	for _, value := range r.values {
		if value != "" && !labelText(value) {
			return bad()
		}
	}
	return r, nil
}
