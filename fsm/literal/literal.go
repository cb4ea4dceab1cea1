// Package literal reads JSON by hand, for turns: they depend on no decoder,
// whose behaviour might change with its version.
//
// What it is given was validated before the log. Of bytes that were not, it makes
// the same on every node, and never fails otherwise than by finding nothing. fsm
// and its folders call it.
package literal

import "bytes"

// Member is the value of an object's first member of that name, as it is
// written; nil when there is none.
func Member(object []byte, name string) []byte {
	rest := skip(object, ' ')
	if len(rest) == 0 || rest[0] != '{' {
		return nil
	}
	for rest = rest[1:]; ; {
		rest = skip(rest, ',')
		key := value(rest)
		if len(key) < 2 || key[0] != '"' {
			return nil
		}
		rest = skip(rest[len(key):], ':')
		found := value(rest)
		if string(key[1:len(key)-1]) == name {
			return found
		}
		if len(found) == 0 {
			return nil
		}
		rest = rest[len(found):]
	}
}

// Plain says that every member of an object has its name written without an
// escape, so that Member finds each by its name.
func Plain(object []byte) bool {
	return Members(object, func(name, _ []byte) bool { return bytes.IndexByte(name, '\\') < 0 })
}

// Elements are the values of an array, as they are written. What is no array is
// not ok.
func Elements(array []byte) (elements [][]byte, ok bool) {
	rest := bytes.TrimSpace(array)
	if len(rest) < 2 || rest[0] != '[' || rest[len(rest)-1] != ']' {
		return nil, false
	}
	for rest = rest[1 : len(rest)-1]; ; {
		rest = skip(rest, ',')
		if len(rest) == 0 {
			return elements, true
		}
		found := value(rest)
		if len(found) == 0 {
			return nil, false
		}
		elements, rest = append(elements, found), rest[len(found):]
	}
}

// Text is what a string says. One with an escape is not ok: the texts that turns
// look at have none.
func Text(token []byte) (string, bool) {
	token = bytes.TrimSpace(token)
	if len(token) < 2 || token[0] != '"' || token[len(token)-1] != '"' || bytes.IndexByte(token, '\\') >= 0 {
		return "", false
	}
	return string(token[1 : len(token)-1]), true
}

// Texts are the strings of an array; it is not ok as soon as one is not.
func Texts(array []byte) (texts []string, ok bool) {
	elements, ok := Elements(array)
	if !ok {
		return nil, false
	}
	for _, e := range elements {
		text, ok := Text(e)
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// skip is text without the white space, and without the separators, that it begins with.
func skip(text []byte, separator byte) []byte {
	for i, c := range text {
		if c != ' ' && c != separator && c != '\t' && c != '\r' && c != '\n' {
			return text[i:]
		}
	}
	return nil
}

// value is the JSON value that text begins with; empty for none.
func value(text []byte) []byte {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			if quoted = !quoted; !quoted && depth == 0 {
				return text[:i+1]
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth == 0 {
				return text[:i]
			}
			if depth--; depth == 0 {
				return text[:i+1]
			}
		case depth == 0 && (c == ',' || c == ':' || c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			return text[:i]
		}
	}
	return nil
}
