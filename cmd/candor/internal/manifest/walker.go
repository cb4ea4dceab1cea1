package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// mostNested bounds the depth of JSON documents.
const mostNested = 500

// jsonWalker decodes JSON token by token, so that it can tell lines and
// refuse a field that is given twice.
type jsonWalker struct {
	data    []byte
	dec     *json.Decoder
	counted int64
	at      int
	found   lines
}

func newJSONWalker(data []byte) *jsonWalker {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return &jsonWalker{data: data, dec: dec, at: 1}
}

// more says whether anything but blanks is left.
func (w *jsonWalker) more() bool {
	return len(bytes.TrimSpace(w.data[w.dec.InputOffset():])) > 0
}

// line is the line that the last token ended at, or that of a syntax error.
func (w *jsonWalker) line() int {
	to := w.dec.InputOffset()
	w.at += bytes.Count(w.data[w.counted:to], []byte("\n"))
	w.counted = to
	return w.at
}

func (w *jsonWalker) document() (any, lines, error) {
	token, err := w.dec.Token()
	if err != nil {
		return nil, nil, err
	}
	w.found = lines{"": w.line()}
	root, err := w.value("", token, 0)
	return root, w.found, err
}

func (w *jsonWalker) value(path string, token json.Token, depth int) (any, error) {
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == mostNested {
		return nil, fmt.Errorf("more than %d levels inside one another", mostNested)
	}
	if delim == '{' {
		return w.members(path, depth)
	}
	return w.elements(path, depth)
}

func (w *jsonWalker) members(path string, depth int) (any, error) {
	members := map[string]any{}
	for w.dec.More() {
		token, err := w.next()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("%v where a field name should be", token)
		}
		at := joined(path, name)
		w.found[at] = w.line()
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("field %q is given twice", name)
		}
		if token, err = w.next(); err != nil {
			return nil, err
		}
		if members[name], err = w.value(at, token, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := w.next()
	return members, err
}

func (w *jsonWalker) elements(path string, depth int) (any, error) {
	elements := []any{}
	for w.dec.More() {
		token, err := w.next()
		if err != nil {
			return nil, err
		}
		at := joined(path, strconv.Itoa(len(elements)))
		w.found[at] = w.line()
		element, err := w.value(at, token, depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	_, err := w.next()
	return elements, err
}

// next is a token that must be there.
func (w *jsonWalker) next() (json.Token, error) {
	token, err := w.dec.Token()
	if err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	return token, err
}
