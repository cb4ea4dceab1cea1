package transition

import (
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/candor-plane/candor/fsm/literal"
)

// writer makes a JSON object by hand, members in the order in which they are given.
// What is empty or zero is left out, so equal values have equal bytes.
type writer struct{ b []byte }

func (w *writer) member(name string) {
	sep := byte(',')
	if len(w.b) == 0 {
		sep = '{'
	}
	w.b = append(w.b, sep, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *writer) text(name, value string) {
	if value != "" {
		w.member(name)
		w.b = literal.AppendText(w.b, value)
	}
}

func (w *writer) number(name string, value uint64) {
	if value != 0 {
		w.member(name)
		w.b = strconv.AppendUint(w.b, value, 10)
	}
}

func (w *writer) flag(name string, value bool) {
	if value {
		w.member(name)
		w.b = append(w.b, "true"...)
	}
}

func (w *writer) raw(name string, value []byte) {
	w.member(name)
	w.b = append(w.b, value...)
}

func (w *writer) object() []byte {
	if len(w.b) == 0 {
		return []byte("{}")
	}
	return append(w.b, '}')
}

// reader reads the members of a JSON object. It keeps the name of the first that is
// there and is not what was asked for.
type reader struct {
	object []byte
	wrong  string
	// found are the object's members, once they were looked for: all of them, if they
	// are as few as an object of ours has and the object is whole.
	found   [20]member
	count   int
	all     bool
	scanned bool
}

type member struct{ name, value []byte }

// member is literal.Member of the object.
func (r *reader) member(name string) []byte {
	if !r.scanned {
		r.scan()
	}
	if !r.all {
		return literal.Member(r.object, name)
	}
	for i := range r.found[:r.count] {
		if m := &r.found[i]; string(m.name) == name {
			return m.value
		}
	}
	return nil
}

func (r *reader) scan() {
	r.scanned = true
	r.all = literal.Members(r.object, func(name, value []byte) bool {
		if r.count == len(r.found) {
			return false
		}
		r.found[r.count] = member{name, value}
		r.count++
		return true
	})
}

func (r *reader) fail(name string) {
	if r.wrong == "" {
		r.wrong = name
	}
}

func (r *reader) text(name string) string {
	token := r.member(name)
	if token == nil {
		return ""
	}
	s, ok := readText(token)
	if !ok {
		r.fail(name)
	}
	return s
}

func (r *reader) number(name string) uint64 {
	token := r.member(name)
	if token == nil {
		return 0
	}
	n, err := strconv.ParseUint(string(token), 10, 64)
	if err != nil {
		r.fail(name)
	}
	return n
}

// moment is a number that fits cluster time.
func (r *reader) moment(name string) int64 {
	n := r.number(name)
	if int64(n) < 0 {
		r.fail(name)
		return 0
	}
	return int64(n)
}

func (r *reader) flag(name string) bool {
	switch string(r.member(name)) {
	case "":
		return false
	case "true":
		return true
	default:
		r.fail(name)
		return false
	}
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// readText is what a JSON string says, whatever its escapes.
func readText(token []byte) (string, bool) {
	if len(token) < 2 || token[0] != '"' || token[len(token)-1] != '"' {
		return "", false
	}
	token = token[1 : len(token)-1]
	out := make([]byte, 0, len(token))
	for i := 0; i < len(token); {
		switch c := token[i]; {
		case c < ' ' || c == '"':
			return "", false
		case c != '\\':
			r, size := utf8.DecodeRune(token[i:])
			out = utf8.AppendRune(out, r)
			i += size
		case i+1 == len(token):
			return "", false
		case token[i+1] == 'u':
			r, size, ok := readEscape(token[i:])
			if !ok {
				return "", false
			}
			out = utf8.AppendRune(out, r)
			i += size
		default:
			plain, ok := escapes[token[i+1]]
			if !ok {
				return "", false
			}
			out = append(out, plain)
			i += 2
		}
	}
	return string(out), true
}

// readEscape reads \uXXXX, and two of them where they make one character. Half of such
// a pair alone is the replacement character.
func readEscape(b []byte) (r rune, size int, ok bool) {
	const high, low, beyond = 0xd800, 0xdc00, 0x10000
	first, ok := readUnit(b)
	switch {
	case !ok:
		return 0, 0, false
	case first < high || first >= low+low-high:
		return first, 6, true
	case first >= low:
		return utf8.RuneError, 6, true
	}
	second, ok := readUnit(b[6:])
	if !ok || second < low || second >= low+low-high {
		return utf8.RuneError, 6, true
	}
	return beyond + (first-high)<<10 + (second - low), 12, true
}

func readUnit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var unit [2]byte
	if _, err := hex.Decode(unit[:], b[2:6]); err != nil {
		return 0, false
	}
	return rune(unit[0])<<8 | rune(unit[1]), true
}
