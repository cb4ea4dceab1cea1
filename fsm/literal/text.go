package literal

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendText appends a string as JSON writes it. What is no UTF-8 becomes the
// replacement character.
func AppendText(b []byte, s string) []byte {
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
