package audit

import (
	"bytes"
	"io"
)

// backward reads a file's lines from the last to the first, a window at a time.
type backward struct {
	r      io.ReaderAt
	window []byte // what lies between from and end
	buf    []byte // holds it
	from   int64
	end    int64 // after the line that comes next; 0 when there is none
}

// newBackward begins with the line that ends at end.
func newBackward(r io.ReaderAt, end int64) *backward {
	return &backward{r: r, buf: make([]byte, 2*maxLine), from: end, end: end}
}

// line is the one before the last, and valid until the next call. Of a line
// longer than the window it is the end.
func (b *backward) line() ([]byte, error) {
	at := bytes.LastIndexByte(b.body(), '\n')
	if at < 0 && b.from > 0 {
		if err := b.load(); err != nil {
			return nil, err
		}
		at = bytes.LastIndexByte(b.body(), '\n')
	}
	line := b.window[at+1:]
	b.window = b.window[:at+1]
	b.end = b.from + int64(at) + 1
	if at >= 0 || b.from == 0 {
		return line, nil
	}
	end, err := lastLineEnd(b.r, b.from)
	b.from, b.end = end, end
	return line, err
}

// body is the window without the newline that ends it.
func (b *backward) body() []byte { return b.window[:max(0, len(b.window)-1)] }

// load fills the window up to end.
func (b *backward) load() error {
	b.from = max(0, b.end-int64(len(b.buf)))
	b.window = b.buf[:b.end-b.from]
	return readFull(b.r, b.window, b.from)
}
