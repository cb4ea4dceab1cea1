package audit

import (
	"bytes"
	"errors"
	"io"
)

// lastLineEnd is the position after the last newline of the first size bytes: all
// before it are whole lines.
func lastLineEnd(r io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for end := size; end > 0; {
		start := max(0, end-int64(len(buf)))
		part := buf[:end-start]
		if err := readFull(r, part, start); err != nil {
			return 0, err
		}
		if at := bytes.LastIndexByte(part, '\n'); at >= 0 {
			return start + int64(at) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// readFull reads exactly len(p) bytes; a file that is shorter is
// io.ErrUnexpectedEOF.
func readFull(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func countLines(p []byte) uint64 { return uint64(bytes.Count(p, []byte{'\n'})) }
