package jsonpath

import (
	"io"
	"strconv"
	"strings"
)

// Template is text with expressions in braces. It is immutable and may be
// shared.
type Template struct {
	nodes []node
}

// node is one of: literal text, an expression, or a range over one.
type node struct {
	text   string
	path   *Path
	ranged bool
	body   []node
}

// Parse reads "{.metadata.name}", text around such expressions, quoted text
// in braces ({"\n"}) and {range EXPRESSION}…{end}. A template without any
// brace is one expression.
func Parse(text string) (*Template, error) {
	if !strings.Contains(text, "{") {
		path, err := ParsePath(text)
		if err != nil {
			return nil, err
		}
		return &Template{nodes: []node{{path: &path}}}, nil
	}
	s := scanner{whole: text, rest: text}
	nodes, ended, err := s.nodes()
	if err != nil {
		return nil, err
	}
	if ended {
		return nil, refuse(text, "an {end} without a {range}")
	}
	return &Template{nodes: nodes}, nil
}

// Execute writes the template over root. Several values of one expression are
// separated by a space.
func (t *Template) Execute(w io.Writer, root any) error {
	var out strings.Builder
	write(&out, t.nodes, root)
	_, err := io.WriteString(w, out.String())
	return err
}

func write(out *strings.Builder, nodes []node, root any) {
	for _, n := range nodes {
		switch {
		case n.path == nil:
			out.WriteString(n.text)
		case n.ranged:
			for _, item := range n.path.Find(root) {
				write(out, n.body, item)
			}
		default:
			for i, value := range n.path.Find(root) {
				if i > 0 {
					out.WriteByte(' ')
				}
				out.WriteString(Text(value))
			}
		}
	}
}

// mostNested keeps a hostile template from exhausting the stack.
const mostNested = 64

type scanner struct {
	whole string
	rest  string
	depth int
}

// nodes reads up to the end of the text or the {end} of the range it is in.
func (s *scanner) nodes() (nodes []node, ended bool, err error) {
	for s.rest != "" {
		text, rest, found := strings.Cut(s.rest, "{")
		if text != "" {
			nodes = append(nodes, node{text: text})
		}
		if !found {
			s.rest = ""
			break
		}
		s.rest = rest
		inner, err := s.braces()
		if err != nil {
			return nil, false, err
		}
		if inner == "end" {
			return nodes, true, nil
		}
		n, err := s.node(inner)
		if err != nil {
			return nil, false, err
		}
		nodes = append(nodes, n)
	}
	return nodes, false, nil
}

func (s *scanner) node(inner string) (node, error) {
	if ranged, ok := strings.CutPrefix(inner, "range "); ok {
		return s.ranged(ranged)
	}
	if inner != "" && (inner[0] == '"' || inner[0] == '\'') {
		text, err := unquote(inner)
		if err != nil {
			return node{}, refuse(s.whole, "%s is no quoted text", inner)
		}
		return node{text: text}, nil
	}
	path, err := s.expression(inner)
	return node{path: &path}, err
}

func (s *scanner) ranged(expression string) (node, error) {
	path, err := s.expression(expression)
	if err != nil {
		return node{}, err
	}
	s.depth++
	if s.depth > mostNested {
		return node{}, refuse(s.whole, "more than %d ranges inside one another", mostNested)
	}
	body, ended, err := s.nodes()
	if err != nil {
		return node{}, err
	}
	if !ended {
		return node{}, refuse(s.whole, "a {range} without an {end}")
	}
	s.depth--
	return node{path: &path, ranged: true, body: body}, nil
}

func (s *scanner) expression(text string) (Path, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Path{}, refuse(s.whole, "empty braces; want a path like {.spec.replicas}")
	}
	r := reader{whole: s.whole, rest: text}
	return r.path()
}

// braces reads up to the closing brace, which quotes and brackets may hide.
func (s *scanner) braces() (string, error) {
	var quote byte
	for i := 0; i < len(s.rest); i++ {
		c := s.rest[i]
		switch {
		case c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			return "", refuse(s.whole, "a '{' inside braces")
		case c == '}':
			inner := s.rest[:i]
			s.rest = s.rest[i+1:]
			return strings.TrimSpace(inner), nil
		}
	}
	return "", refuse(s.whole, "a '{' is not closed")
}

// unquote reads "…" as Go does and '…' with the same escapes.
func unquote(text string) (string, error) {
	if text[0] == '"' {
		return strconv.Unquote(text)
	}
	if len(text) < 2 || text[len(text)-1] != '\'' {
		return "", strconv.ErrSyntax
	}
	inner := strings.ReplaceAll(text[1:len(text)-1], `\'`, `'`)
	return strconv.Unquote(`"` + strings.ReplaceAll(inner, `"`, `\"`) + `"`)
}
