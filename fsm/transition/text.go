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
		w.b = appendText(w.b, value)
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

const hexDigits = "0123456789abcdef"

// appendText quotes a string. What is no UTF-8 becomes the replacement character.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// reader reads the members of a JSON object. It keeps the name of the first that is
// there and is not what was asked for.
type reader struct {
	object []byte
	wrong  string
}

func (r *reader) fail(name string) {
	if r.wrong == "" {
		r.wrong = name
	}
}

func (r *reader) text(name string) string {
	token := literal.Member(r.object, name)
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
	token := literal.Member(r.object, name)
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
	switch string(literal.Member(r.object, name)) {
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
