package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/candor-plane/candor"
)

// Format is what the first line of a file says that it is.
const Format = "candor-history/1"

// MaxLine is the longest line that is read.
const MaxLine = 64 << 20

// header is the first line.
type header struct {
	Format string `json:"format"`
	// Source says where the history comes from, for people.
	Source string `json:"source,omitempty"`
}

// Write writes the history as JSON Lines: a header, then one operation a line in
// the order of invocation. Source says where it comes from; it may be empty.
func Write(w io.Writer, h *History, source string) error {
	return WriteWith(w, h, source, func(func(any) bool) {})
}

// WriteWith writes as Write does, and after the operations the other records, each
// on a line of its own. As JSON each must be an object whose first field is "record".
func WriteWith(w io.Writer, h *History, source string, others iter.Seq[any]) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(header{Format: Format, Source: source}); err != nil {
		return candor.Wrap("write history", err)
	}
	for o := range h.All() {
		if err := encoder.Encode(o); err != nil {
			return candor.Wrap("write history", err)
		}
	}
	for other := range others {
		if err := encoder.Encode(other); err != nil {
			return candor.Wrap("write history", err)
		}
	}
	return candor.Wrap("write history", out.Flush())
}

// Read reads what Write wrote, strictly: a field that is unknown, spelt in
// another case or given twice, a line that is empty or not ended, and an
// operation that contradicts itself are errors of reason INVALID that name the
// line. Lines may be in any order.
func Read(r io.Reader) (*History, error) {
	h, _, err := ReadWith(r, nil)
	return h, err
}

// recordField begins a line that is no operation.
var recordField = []byte(`{"record":`)

// ReadWith reads as Read does, and hands each line that begins with the field
// "record" to other, which must not keep it and whose error names the line as any
// other does. It returns what the header says of where the history comes from.
func ReadWith(r io.Reader, other func(line []byte) error) (*History, string, error) {
	h, source, err := read(bufio.NewReaderSize(r, 1<<16), other)
	return h, source, candor.Wrap("read history", err)
}

func read(in *bufio.Reader, other func(line []byte) error) (*History, string, error) {
	var source string
	var buffer []byte
	var operations []Operation
	strict := newStrict[Operation]()
	for number := 1; ; number++ {
		line, err := readLine(in, &buffer)
		if errors.Is(err, io.EOF) && number > 1 {
			return taken(operations), source, nil
		}
		if errors.Is(err, io.EOF) {
			err = invalid("empty: want a first line that says %q", Format)
		}
		switch {
		case err != nil:
		case number == 1:
			source, err = readHeader(line)
		case other != nil && bytes.HasPrefix(line, recordField):
			err = other(line)
		default:
			operations = append(operations, Operation{})
			o := &operations[len(operations)-1]
			err = readOperation(strict, line, o, operations)
		}
		if err != nil {
			return nil, "", candor.Wrap(fmt.Sprintf("line %d", number), err)
		}
	}
}

func readHeader(line []byte) (source string, err error) {
	var h header
	if err := newStrict[header]().decode(line, &h); err != nil {
		return "", err
	}
	if h.Format != Format {
		return "", invalid("format %q: want %q", h.Format, Format)
	}
	return h.Source, nil
}

// readOperation reads the newest of the operations.
func readOperation(strict *strict, line []byte, o *Operation, operations []Operation) error {
	if err := strict.decode(line, o); err != nil {
		return err
	}
	if err := o.validate(); err != nil {
		return err
	}
	return o.sequencedAs(&operations[0])
}

// readLine returns the next line without its end, valid until the next call, or
// io.EOF where there is none.
func readLine(in *bufio.Reader, buffer *[]byte) ([]byte, error) {
	*buffer = (*buffer)[:0]
	for {
		part, err := in.ReadSlice('\n')
		*buffer = append(*buffer, part...)
		switch {
		case len(*buffer) > MaxLine:
			return nil, invalid("a line of more than %d bytes", MaxLine)
		case err == nil:
			line := (*buffer)[:len(*buffer)-1]
			if len(bytes.TrimSpace(line)) == 0 {
				return nil, invalid("an empty line")
			}
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(*buffer) > 0:
			return nil, invalid("a line without an end: the file is cut off")
		default:
			return nil, err
		}
	}
}
