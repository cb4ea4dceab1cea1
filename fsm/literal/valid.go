package literal

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep a value may be nested.
const maxDepth = 64

// Valid says whether text is one JSON value (RFC 8259) without white space, in UTF-8,
// nested at most 64 deep. A turn stores nothing else that it took from a command.
func Valid(text []byte) bool {
	rest, ok := validValue(text, 0)
	return ok && len(rest) == 0
}

func validValue(text []byte, depth int) (rest []byte, ok bool) {
	if len(text) == 0 || depth > maxDepth {
		return text, false
	}
	switch c := text[0]; {
	case c == '{':
		return validList(text[1:], '}', depth)
	case c == '[':
		return validList(text[1:], ']', depth)
	case c == '"':
		return validText(text)
	case c == '-' || c >= '0' && c <= '9':
		return validNumber(text)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if rest, ok := bytes.CutPrefix(text, []byte(word)); ok {
			return rest, true
		}
	}
	return text, false
}

// validList is the inside of an object or an array, with its end.
func validList(text []byte, end byte, depth int) (rest []byte, ok bool) {
	if len(text) > 0 && text[0] == end {
		return text[1:], true
	}
	for rest = text; ; rest = rest[1:] {
		if end == '}' {
			if rest, ok = validText(rest); !ok || len(rest) == 0 || rest[0] != ':' {
				return rest, false
			}
			rest = rest[1:]
		}
		if rest, ok = validValue(rest, depth+1); !ok || len(rest) == 0 {
			return rest, false
		}
		if rest[0] == end {
			return rest[1:], true
		}
		if rest[0] != ',' {
			return rest, false
		}
	}
}

func validText(text []byte) (rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return text, false
	}
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return text[i+1:], utf8.Valid(text[:i])
		case c < ' ':
			return text, false
		case c == '\\':
			if i++; i == len(text) {
				return text, false
			}
			if text[i] == 'u' {
				if i+4 >= len(text) || len(bytes.TrimLeft(text[i+1:i+5], "0123456789abcdefABCDEF")) > 0 {
					return text, false
				}
				i += 4
			} else if strings.IndexByte(`"\/bfnrt`, text[i]) < 0 {
				return text, false
			}
		}
	}
	return text, false
}

func validNumber(text []byte) (rest []byte, ok bool) {
	rest = bytes.TrimPrefix(text, []byte("-"))
	whole := digits(rest)
	if whole == 0 || whole > 1 && rest[0] == '0' {
		return text, false
	}
	rest = rest[whole:]
	if len(rest) > 0 && rest[0] == '.' {
		n := digits(rest[1:])
		if n == 0 {
			return text, false
		}
		rest = rest[1+n:]
	}
	if len(rest) > 0 && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		n := digits(rest)
		if n == 0 {
			return text, false
		}
		rest = rest[n:]
	}
	return rest, true
}

// digits counts those at the beginning.
func digits(text []byte) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}
