package jsonpath

import (
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// ParsePath reads one expression, with or without braces: ".spec.replicas",
// "{.spec.replicas}", "spec.replicas", "{.metadata.labels.app\.kubernetes\.io/name}".
func ParsePath(text string) (Path, error) {
	expression := strings.TrimSpace(text)
	if strings.HasPrefix(expression, "{") != strings.HasSuffix(expression, "}") {
		return Path{}, refuse(text, "the braces do not match")
	}
	expression = strings.TrimSuffix(strings.TrimPrefix(expression, "{"), "}")
	r := reader{whole: text, rest: strings.TrimSpace(expression)}
	if r.rest == "" {
		return Path{}, refuse(text, "it is empty; want a path like .spec.replicas")
	}
	return r.path()
}

// reader takes one expression apart, left to right.
type reader struct {
	whole string
	rest  string
}

func (r *reader) path() (Path, error) {
	p := Path{text: r.rest}
	for _, root := range []string{"$", "@"} {
		r.rest = strings.TrimPrefix(r.rest, root)
	}
	if r.rest != "" && r.rest[0] != '.' && r.rest[0] != '[' {
		r.rest = "." + r.rest
	}
	for r.rest != "" {
		next, named, err := r.step()
		if err != nil {
			return Path{}, err
		}
		if named {
			p.steps = append(p.steps, next)
		}
	}
	return p, nil
}

// step reads one step; named is false for a lone dot, which names the value
// it stands on.
func (r *reader) step() (next step, named bool, err error) {
	if r.rest[0] == '[' {
		next, err = r.bracket()
		return next, true, err
	}
	if r.rest[0] != '.' {
		return step{}, false, refuse(r.whole, "%q: want '.' or '[' before it", r.rest)
	}
	r.rest = r.rest[1:]
	switch {
	case r.rest == "":
		return step{}, false, nil
	case r.rest[0] == '.':
		return step{}, false, refuse(r.whole, "recursive descent (..) is not supported; write the whole path")
	case r.rest[0] == '[':
		return step{}, false, nil
	case r.rest[0] == '*':
		r.rest = r.rest[1:]
		return step{kind: stepEach}, true, nil
	}
	name, err := r.name()
	return step{kind: stepField, field: name}, true, err
}

// name reads a field name up to the next '.' or '['; a backslash takes the
// byte after it as it is.
func (r *reader) name() (string, error) {
	var name strings.Builder
	for i := 0; i < len(r.rest); i++ {
		switch c := r.rest[i]; c {
		case '\\':
			i++
			if i == len(r.rest) {
				return "", refuse(r.whole, "it ends in a backslash")
			}
			name.WriteByte(r.rest[i])
		case '.', '[':
			r.rest = r.rest[i:]
			return name.String(), nil
		case ' ', '(', ')', '{', '}', ']', '\'', '"', '|', ',':
			return "", refuse(r.whole, "%q does not belong in a field name; write ['…'] around such a name", c)
		default:
			name.WriteByte(c)
		}
	}
	r.rest = ""
	return name.String(), nil
}

func (r *reader) bracket() (step, error) {
	inner := r.rest[1:]
	if inner != "" && (inner[0] == '\'' || inner[0] == '"') {
		return r.quoted(inner)
	}
	if filter, ok := strings.CutPrefix(inner, "?"); ok {
		return r.filter(filter)
	}
	inner, rest, closed := strings.Cut(inner, "]")
	if !closed {
		return step{}, refuse(r.whole, "a '[' is not closed")
	}
	r.rest = rest
	inner = strings.TrimSpace(inner)
	switch {
	case inner == "*":
		return step{kind: stepEach}, nil
	case strings.Contains(inner, ":"):
		return step{}, refuse(r.whole, "slices [a:b] are not supported; use [N] or [*]")
	case strings.Contains(inner, ","):
		return step{}, refuse(r.whole, "unions [a,b] are not supported; write one expression for each")
	}
	index, err := strconv.Atoi(inner)
	if err != nil {
		return step{}, refuse(r.whole, "[%s]: want [N], [-N], [*] or ['name']", inner)
	}
	return step{kind: stepIndex, index: index}, nil
}

// filter reads (@.name=="text")], the one form of filter there is: it picks
// the elements of a list that have that text there.
func (r *reader) filter(text string) (step, error) {
	const form = `filters take the one form [?(@.name=="text")]`
	text, ok := strings.CutPrefix(text, "(@")
	path, value, compared := strings.Cut(text, "==")
	value = strings.TrimLeft(value, " ")
	if !ok || !compared || value == "" || value[0] != '"' && value[0] != '\'' {
		return step{}, refuse(r.whole, form)
	}
	value, after, closed := strings.Cut(value[1:], value[:1])
	rest, ended := strings.CutPrefix(strings.TrimLeft(after, " "), ")]")
	if !closed || !ended {
		return step{}, refuse(r.whole, form)
	}
	inner := reader{whole: r.whole, rest: strings.TrimSpace(path)}
	where, err := inner.path()
	if err != nil {
		return step{}, err
	}
	if len(where.steps) == 0 {
		return step{}, refuse(r.whole, form)
	}
	r.rest = rest
	return step{kind: stepWhere, where: where.steps, equals: value}, nil
}

func (r *reader) quoted(inner string) (step, error) {
	quote, name := inner[0], strings.Builder{}
	for i := 1; i < len(inner); i++ {
		c := inner[i]
		switch {
		case c == '\\' && i+1 < len(inner):
			i++
			name.WriteByte(inner[i])
		case c == quote:
			after, ok := strings.CutPrefix(strings.TrimLeft(inner[i+1:], " "), "]")
			if !ok {
				return step{}, refuse(r.whole, "want ']' after a quoted name; unions ['a','b'] are not supported")
			}
			r.rest = after
			return step{kind: stepField, field: name.String()}, nil
		default:
			name.WriteByte(c)
		}
	}
	return step{}, refuse(r.whole, "a quote is not closed")
}

func refuse(whole, format string, args ...any) error {
	e := candor.Errorf(candor.ReasonUsage, "jsonpath %q: "+format, append([]any{whole}, args...)...)
	e.Subject = whole
	return e
}
