package datadir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// remainder is what lies in a segment file after its last whole batch.
type remainder struct {
	file File
	path string
	from int64
	// last is the offset of the last byte that is not zero; -1 when none is.
	last int64
	// hole is the first sector that is zero throughout; -1 when none is.
	hole int64
}

// readRemainder scans the file from an offset on. Sectors are cut at from: the
// rest of its sector may have been lost alone.
func readRemainder(f File, path string, from int64) (*remainder, error) {
	r := &remainder{file: f, path: path, from: from, last: -1, hole: -1}
	size, err := f.Size()
	if err != nil {
		return nil, ioError(path, err)
	}
	buf := make([]byte, 256<<10)
	for at := from; at < size; {
		data, err := f.NextData(at)
		if err != nil {
			return nil, ioError(path, err)
		}
		data -= data % sectorBytes
		if data > at {
			r.zero(at)
			at = data
			continue
		}
		// Steps end at sector boundaries.
		n := min(int64(len(buf))-at%sectorBytes, size-at)
		if _, err := f.ReadAt(buf[:n], at); err != nil && !errors.Is(err, io.EOF) {
			return nil, ioError(path, err)
		}
		r.scan(buf[:n], at)
		at += n
	}
	return r, nil
}

func (r *remainder) scan(b []byte, at int64) {
	for len(b) > 0 {
		n := min(sectorBytes-at%sectorBytes, int64(len(b)))
		sector := bytes.TrimRight(b[:n], "\x00")
		if len(sector) == 0 {
			r.zero(at)
		} else {
			r.last = at + int64(len(sector)) - 1
		}
		b, at = b[n:], at+n
	}
}

func (r *remainder) zero(at int64) {
	if r.hole < 0 {
		r.hole = at
	}
}

// torn says whether the remainder can be what a crash left of one unfinished
// write, as opposed to damage in batches that were promised.
//
// One write was unfinished at most: the log syncs each before it begins the
// next. If the process died, the file has a first part of it, without the
// commit frame that ends it. If the machine died, sectors are missing, and in
// a preallocated file a missing sector reads as zeros. A remainder that ends in
// a commit frame and misses nothing was written whole: then a difference from
// its checksum is damage.
func (r *remainder) torn() (bool, error) {
	if r.hole >= 0 && r.hole < r.last {
		return true, nil
	}
	at := r.last - (r.last-r.from)%frameHeaderBytes
	if at == r.from {
		return true, nil
	}
	word := make([]byte, frameHeaderBytes)
	if _, err := r.file.ReadAt(word, at); err != nil && !errors.Is(err, io.EOF) {
		return false, ioError(r.path, err)
	}
	if word[0] == frameCommit && word[1]|word[2]|word[3] == 0 {
		return false, nil
	}
	// The commit frame's own mark may be what is damaged.
	sum := crc32.New(castagnoli)
	if _, err := io.Copy(sum, io.NewSectionReader(r.file, r.from, at-r.from)); err != nil {
		return false, ioError(r.path, err)
	}
	return sum.Sum32() != binary.LittleEndian.Uint32(word[4:]), nil
}

// erase makes the remainder zero again, so that nothing of it can pass for a
// part of what is written there next.
func (r *remainder) erase() error {
	zeros := make([]byte, 64<<10)
	for at := r.from; at <= r.last; {
		n := min(int64(len(zeros)), r.last+1-at)
		if _, err := r.file.WriteAt(zeros[:n], at); err != nil {
			return ioError(r.path, err)
		}
		at += n
	}
	return ioError(r.path, r.file.Sync())
}
