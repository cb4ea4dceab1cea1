package kinds

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// skip moves past white space and notes that there was some.
func (d *document) skip() {
	for d.at < len(d.text) {
		switch d.text[d.at] {
		case ' ', '\t', '\r', '\n':
			d.spaced = true
			d.at++
		default:
			return
		}
	}
}

func (d *document) eat(c byte) bool {
	if d.at < len(d.text) && d.text[d.at] == c {
		d.at++
		return true
	}
	return false
}

// parseString moves past the string that begins here and says whether it has
// an escape. Half a surrogate pair is no character: it is refused.
func (d *document) parseString() (escaped bool, f *fault) {
	d.at++
	for d.at < len(d.text) {
		switch c := d.text[d.at]; {
		case c == '"':
			d.at++
			return escaped, nil
		case c == '\\':
			escaped = true
			if f := d.parseEscape(); f != nil {
				return true, f
			}
		case c < ' ':
			return escaped, d.fail(d.at, "control character %s in a string: write it as an escape", d.seen())
		default:
			d.at++
		}
	}
	return escaped, d.fail(d.at, "unexpected end of the text in a string")
}

func (d *document) parseEscape() *fault {
	start := d.at
	if d.at++; d.at >= len(d.text) {
		return d.fail(d.at, "unexpected end of the text in a string")
	}
	switch d.text[d.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		d.at++
		return nil
	case 'u':
	default:
		return d.fail(start, "unknown escape \\%c in a string", d.text[d.at])
	}
	r, ok := hex4(d.text[d.at+1:])
	if !ok {
		return d.fail(start, "\\u without four hexadecimal digits in a string")
	}
	d.at += 5
	if !utf16.IsSurrogate(r) {
		return nil
	}
	if d.at+1 < len(d.text) && d.text[d.at] == '\\' && d.text[d.at+1] == 'u' {
		low, ok := hex4(d.text[d.at+2:])
		if ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			d.at += 6
			return nil
		}
	}
	return d.fail(start, "half a surrogate pair in a string")
}

func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	r := rune(0)
	for _, c := range text[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// parseNumber moves past the number that begins here.
func (d *document) parseNumber() *fault {
	start := d.at
	d.eat('-')
	if d.at < len(d.text) && d.text[d.at] == '0' {
		d.at++
	} else if !d.digits() {
		return d.fail(d.at, "unexpected %s in a number", d.seen())
	}
	if d.eat('.') && !d.digits() {
		return d.fail(d.at, "unexpected %s in a number", d.seen())
	}
	if d.at < len(d.text) && (d.text[d.at] == 'e' || d.text[d.at] == 'E') {
		d.at++
		if !d.eat('+') {
			d.eat('-')
		}
		exponent := d.at
		if !d.digits() {
			return d.fail(d.at, "unexpected %s in a number", d.seen())
		}
		n, err := strconv.Atoi(string(d.text[exponent:d.at]))
		if err != nil || n > maxExponent {
			return d.failIn(int32(len(d.nodes)-1), "the number %s has an exponent beyond %d", clip(d.text[start:d.at]), maxExponent)
		}
	}
	if d.at-start > maxNumber {
		return d.failIn(int32(len(d.nodes)-1), "the number %s has %d characters; at most %d are allowed",
			clip(d.text[start:d.at]), d.at-start, maxNumber)
	}
	return nil
}

func (d *document) digits() bool {
	start := d.at
	for d.at < len(d.text) && d.text[d.at] >= '0' && d.text[d.at] <= '9' {
		d.at++
	}
	return d.at > start
}

// unescape appends the meaning of the content of a string that was parsed.
func unescape(dst, content []byte) []byte {
	for i := 0; i < len(content); {
		c := content[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		i += 2
		switch c := content[i-1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(content[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := hex4(content[i+2:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// seen names what stands at the place of a fault.
func (d *document) seen() string {
	if d.at >= len(d.text) {
		return "end of the text"
	}
	r, _ := utf8.DecodeRune(d.text[d.at:])
	return strconv.QuoteRune(r)
}
