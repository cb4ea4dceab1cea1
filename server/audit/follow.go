package audit

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"

	candor "github.com/candor-plane/candor"
)

// maxLine is more than any line of this log: each byte of a string takes six at
// most.
const maxLine = 128 << 10

// stopped is an error of emit, to be returned as it is.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }

// read emits from the present position on.
func (t *tail) read(ctx context.Context) error {
	for {
		// In this order: what was written before the end is seen after it.
		ended := t.ended()
		now := t.log.files.look()
		moved, err := t.advance(ctx, now)
		switch e, ok := errors.AsType[*stopped](err); {
		case ok:
			return e.err
		case ctx.Err() != nil:
			return candor.Errorf(candor.ReasonCanceled, "audit tail: %w", context.Cause(ctx))
		case err != nil:
			return t.failed(err)
		case moved:
			continue
		case !t.options.Follow:
			return nil
		case ended:
			return t.over()
		}
		select {
		case <-now.changed:
		case <-t.log.written:
		case <-ctx.Done():
		}
	}
}

func (t *tail) ended() bool {
	select {
	case <-t.log.written:
		return true
	default:
		return false
	}
}

// advance emits what the present file holds and goes to the next if there is one.
// It is false if there was nothing to do.
func (t *tail) advance(ctx context.Context, now reading) (bool, error) {
	if !t.options.Follow {
		now = t.start
	}
	moved := false
	if len(t.files) > 0 && t.files[0].seq == t.seq {
		end, err := t.limit(t.files[0], now)
		if err != nil {
			return false, err
		}
		if t.at < end {
			moved = true
			if err := t.copy(ctx, t.files[0].reader, end); err != nil {
				return false, err
			}
		}
	}
	if t.seq >= now.current() {
		return moved, nil
	}
	return true, t.next(now)
}

// next goes to the file after the present one, or to the oldest that is left, and
// says what lay between.
func (t *tail) next(now reading) error {
	if len(t.files) > 0 && t.files[0].seq == t.seq {
		t.drop()
	}
	t.at = 0
	if len(t.files) > 0 {
		t.seq = t.files[0].seq
		return nil
	}
	if now.current() <= t.start.current() {
		t.seq = now.current()
		return nil
	}
	found, err := t.openAfter(t.seq)
	if err != nil {
		return err
	}
	if found.first <= t.line {
		return nil
	}
	n := found.first - t.line
	t.line = found.first
	if err := t.missed(n, "it was slower than the rotation, and the files that held them are gone"); err != nil {
		return &stopped{err}
	}
	return nil
}

// openAfter opens the first file after seq that is still there.
func (t *tail) openAfter(seq uint64) (segment, error) {
	files := t.log.files
	files.names.Lock()
	defer files.names.Unlock()
	for _, s := range files.look().segments {
		if s.seq <= seq {
			continue
		}
		r, err := files.read(s.seq)
		if errors.Is(err, fs.ErrNotExist) && s.seq != files.currentSeq() {
			continue
		}
		if err != nil {
			return segment{}, err
		}
		t.files = append(t.files, openFile{seq: s.seq, reader: r})
		t.seq = s.seq
		return s, nil
	}
	return segment{}, fs.ErrNotExist
}

// copy emits the chosen lines up to end, which is the end of a line.
func (t *tail) copy(ctx context.Context, r Reader, end int64) error {
	lines := bufio.NewReaderSize(io.NewSectionReader(r, t.at, end-t.at), int(min(maxLine, max(16, end-t.at))))
	for t.at < end {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if err := t.skip(lines, len(line)); err != nil {
				return err
			}
			continue
		}
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		t.passed(len(line))
		if !t.options.Filter.chooses(line) {
			continue
		}
		if err := t.emit(line); err != nil {
			return &stopped{err}
		}
	}
	return nil
}

// skip leaves out a line that this log cannot have written.
func (t *tail) skip(lines *bufio.Reader, length int) error {
	for {
		part, err := lines.ReadSlice('\n')
		length += len(part)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	t.passed(length)
	if err := t.missed(1, "it is longer than any that this log writes"); err != nil {
		return &stopped{err}
	}
	return nil
}

// passed moves on by one line. Lines before the start are not counted: their
// files are kept open, so that none of them can be missed.
func (t *tail) passed(length int) {
	current := t.start.current()
	if t.seq > current || t.seq == current && t.at >= t.start.length {
		t.line++
	}
	t.at += int64(length)
}
