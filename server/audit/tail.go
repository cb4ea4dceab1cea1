package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	candor "github.com/candor-plane/candor"
)

// All asks Tail for every line that is kept.
const All = -1

// TailOptions say what a reader wants.
type TailOptions struct {
	// Last is how many of the chosen lines before now come first; All for all.
	Last int
	// Follow goes on with what is written from then on.
	Follow bool
	Filter Filter
}

// Tail gives emit the lines that the options choose, each once and in order, with
// its newline. A line is emit's until it returns. Without Follow it returns after
// the last line; with Follow it goes on until ctx ends (CANCELED) or the log is
// closed (SHUTTING_DOWN), and an error of emit ends it and is returned as it is.
//
// A reader that is slower than the rotation of all files is given a record of
// verdict LOST, which is in no file and has no sequence number, with how many
// lines it did not get, before any filter. It never holds up the writer.
//
// Other errors: QUEUE_SATURATED at Options.MaxTails readers, UNAVAILABLE at
// LevelNone, DISK_PRESSURE for files that cannot be read.
func (l *Log) Tail(ctx context.Context, o TailOptions, emit func(line []byte) error) error {
	if l.o.Level == LevelNone {
		return candor.Errorf(candor.ReasonUnavailable, "this server keeps no audit log: its level is none")
	}
	if o.Last < All {
		return candor.Errorf(candor.ReasonInvalid, "audit tail: last %d: want 0 or more, or %d for all", o.Last, All)
	}
	if n := l.counts.tails.Add(1); n > int64(l.o.MaxTails) {
		l.counts.tails.Add(-1)
		return candor.Errorf(candor.ReasonQueueSaturated, "audit tail: %d others read already", n-1)
	}
	defer l.counts.tails.Add(-1)

	t := &tail{log: l, options: o, emit: emit}
	defer t.close()
	if err := t.open(); err != nil {
		return t.failed(err)
	}
	if err := t.seek(); err != nil {
		return t.failed(err)
	}
	return t.read(ctx)
}

// tail is one reader. It keeps the files of its backlog open, so that rotation
// takes none of those away; later files it can miss, and these are all counted.
type tail struct {
	log     *Log
	options TailOptions
	emit    func(line []byte) error

	files []openFile // of the backlog from the present one on, by number
	start reading    // the extent when it began
	seq   uint64     // the present file
	at    int64      // in it
	line  uint64     // extent.total at this position; before start, that of start
}

type openFile struct {
	seq    uint64
	reader Reader
}

// open opens all files that there are, before any of them is removed.
func (t *tail) open() error {
	files := t.log.files
	files.names.Lock()
	defer files.names.Unlock()
	t.start = files.look()
	t.line = t.start.total
	t.seq, t.at = t.start.current(), t.start.length
	segments := t.start.segments
	if t.options.Last == 0 {
		segments = segments[len(segments)-1:]
	}
	for _, s := range segments {
		r, err := files.read(s.seq)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed by somebody else: nothing there to read
		}
		if err != nil {
			return err
		}
		t.files = append(t.files, openFile{seq: s.seq, reader: r})
	}
	return nil
}

// seek goes back to the first of the last lines that are wanted, and closes the
// files before it.
func (t *tail) seek() error {
	left := t.options.Last
	for n := len(t.files) - 1; n >= 0 && left != 0; n-- {
		f := t.files[n]
		size, err := t.limit(f, t.start)
		if err != nil {
			return err
		}
		t.seq, t.at = f.seq, 0
		if left == All {
			continue
		}
		if t.at, err = t.back(f.reader, size, &left); err != nil {
			return err
		}
	}
	for len(t.files) > 0 && t.files[0].seq < t.seq {
		t.drop()
	}
	return nil
}

// back finds where the last *left chosen lines before end begin, or 0, and takes
// those that it found off.
func (t *tail) back(r Reader, end int64, left *int) (int64, error) {
	b := newBackward(r, end)
	for b.end > 0 {
		line, err := b.line()
		if err != nil {
			return 0, err
		}
		if t.options.Filter.chooses(line) {
			*left--
		}
		if *left == 0 {
			return b.end, nil
		}
	}
	return 0, nil
}

// limit is how far a file holds whole lines now: the extent's word for the
// current file, everything for others, which nobody writes any more.
func (t *tail) limit(f openFile, now reading) (int64, error) {
	if f.seq == now.current() {
		return now.length, nil
	}
	size, err := f.reader.Size()
	if err != nil {
		return 0, err
	}
	return lastLineEnd(f.reader, size)
}

// drop closes the first file.
func (t *tail) drop() {
	_ = t.files[0].reader.Close() // it was only read
	t.files = t.files[1:]
}

func (t *tail) close() {
	for len(t.files) > 0 {
		t.drop()
	}
}

func (t *tail) failed(err error) error {
	select {
	case <-t.log.written:
		return t.over()
	default:
		return diskError("tail", err)
	}
}

func (*tail) over() error {
	return candor.Errorf(candor.ReasonShuttingDown, "audit tail: the log is closed")
}

// missed tells the reader of n lines that it did not get.
func (t *tail) missed(n uint64, why string) error {
	t.log.counts.tailLost.Add(n)
	r := Record{
		Time: time.Now(), Verdict: Lost, own: own{count: n},
		Message: fmt.Sprintf("this reader did not get %d lines: %s", n, why),
	}
	return t.emit(t.log.identity.appendLine(nil, &r, 0))
}
