package literal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/candor-plane/candor/fsm/literal"
)

// FuzzValid holds the verdict to a decoder's, but for white space and depth.
func FuzzValid(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `""`, `0`, `-1.5e+10`, `{"a":[1,2,{"b":null}],"c":"\u00e9\n"}`, `{"a":1,}`, `[1,]`, `{"a"}`, `01`, `1.`, `.5`, `+1`, `tru`, `nullx`,
		"\"\x01\"", "\"\xff\"", `"\x"`, `"\u12"`, `{"a":1}{"b":2}`, `{"a" :1}`, ` 1`, `"`, `\`, `-`, `1e`, strings.Repeat("[", 70) + strings.Repeat("]", 70),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var compact bytes.Buffer
		want := json.Valid(text) && utf8.Valid(text) && json.Compact(&compact, text) == nil && bytes.Equal(compact.Bytes(), text) && depth(text) <= 64
		if got := literal.Valid(text); got != want {
			t.Fatalf("%q: %t, want %t", text, got, want)
		}
		if !want || text[0] != '{' {
			return
		}
		again := []byte{'{'}
		if !literal.Members(text, func(name, value []byte) bool {
			if len(again) > 1 {
				again = append(again, ',')
			}
			again = append(append(append(append(again, '"'), name...), '"', ':'), value...)
			return true
		}) {
			t.Fatalf("%q: not every member was found", text)
		}
		if again = append(again, '}'); !bytes.Equal(again, text) {
			t.Fatalf("%q has members %q", text, again)
		}
	})
}

// depth is how deep the deepest value lies.
func depth(text []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
			deepest = max(deepest, depth)
		case quoted:
		case c == '{' || c == '[':
			deepest = max(deepest, depth)
			depth++
		case c == '}' || c == ']':
			depth--
		case c != ',' && c != ':':
			deepest = max(deepest, depth)
		}
	}
	return deepest
}

// FuzzAppendText reads back what was written.
func FuzzAppendText(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\n\x00é\u2028<")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, s string) {
		text := literal.AppendText([]byte("x"), s)[1:]
		var got string
		if err := json.Unmarshal(text, &got); err != nil || got != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Fatalf("%q is written as %s, which is %q, %v", s, text, got, err)
		}
		if !literal.Valid(text) {
			t.Fatalf("%s is not valid", text)
		}
	})
}
