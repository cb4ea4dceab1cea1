package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/candor-plane/candor"
)

// WriteJSON writes the account as JSON: the same bytes for the same account, and a
// line for each thing that there may be many of.
func WriteJSON(w io.Writer, r *Report) error {
	whole := *r
	whole.Format = Format
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(&whole); err != nil {
		return candor.Wrap("write report", err)
	}
	_, err := w.Write(lines(bytes.TrimSpace(raw.Bytes())))
	return candor.Wrap("write report", err)
}

// Read takes an account back. Another format is an error of reason INVALID.
func Read(from io.Reader) (*Report, error) {
	var r Report
	decoder := json.NewDecoder(from)
	if err := decoder.Decode(&r); err != nil {
		return nil, candor.Wrap("read report", candor.Errorf(candor.ReasonInvalid, "%s", err))
	}
	if r.Format != Format {
		return nil, candor.Wrap("read report", candor.Errorf(candor.ReasonInvalid, "format %q: want %q", r.Format, Format))
	}
	return &r, nil
}

// noText is how bytes that are no text are encoded; decoded and encoded again they are
// a character, so that is what is written at once.
var noText = []byte(`\ufffd`)

// lines breaks compact JSON: the account's fields, those of what is directly in it, and
// elements of lists of objects, each on its own line.
func lines(compact []byte) []byte {
	var out bytes.Buffer
	var broken []bool // of the lists and objects that are open
	quoted := false
	indent := func() {
		out.WriteByte('\n')
		for range broken {
			out.WriteString("  ")
		}
	}
	for i := 0; i < len(compact); i++ {
		c := compact[i]
		switch {
		case quoted && bytes.HasPrefix(compact[i:], noText):
			out.WriteString("\ufffd")
			i += len(noText) - 1
		case quoted:
			out.WriteByte(c)
			if c == '\\' {
				i++
				out.WriteByte(compact[i])
			}
			quoted = c != '"'
		case c == '{' || c == '[':
			out.WriteByte(c)
			next := compact[i+1]
			breaks := next != '}' && next != ']' && (len(broken) < 2 || c == '[' && next == '{')
			broken = append(broken, breaks)
			if breaks {
				indent()
			}
		case c == '}' || c == ']':
			was := broken[len(broken)-1]
			broken = broken[:len(broken)-1]
			if was {
				indent()
			}
			out.WriteByte(c)
		default:
			out.WriteByte(c)
			quoted = c == '"'
			if c == ',' && broken[len(broken)-1] {
				indent()
			}
		}
	}
	out.WriteByte('\n')
	return out.Bytes()
}
