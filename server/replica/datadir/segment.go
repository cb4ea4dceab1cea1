package datadir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/types"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// The segment format of raft-wal. Source: its segment/format.go and codec.go.
const (
	segmentHeaderBytes = 32
	segmentMagic       = 0x58eb6b0d
	frameHeaderBytes   = 8
	frameEntry         = 1
	frameIndex         = 2
	frameCommit        = 3
	maxFrameBytes      = 64 << 20
	sectorBytes        = 512
)

// logEntry is what the checks need to know of one entry.
type logEntry struct {
	index, term uint64
	kind        raft.LogType
	data        []byte
}

// walked is what a walk over one segment file found.
type walked struct {
	path string
	info types.SegmentInfo
	// end is the offset after the last whole batch, count the entries in it.
	end   int64
	count uint64
	last  logEntry
	// indexStart is where the index of a sealed file begins, or 0.
	indexStart uint64
}

// lastIndex is the last whole entry's, or 0.
func (s *walked) lastIndex() uint64 {
	if s.count == 0 {
		return 0
	}
	return s.info.BaseIndex + s.count - 1
}

// walkSegment reads the file up to its last whole batch. Every batch must match
// its checksum, and in it every entry its own and its place. It stops at the
// first byte that begins no whole batch; judging that is the caller's.
func walkSegment(f File, path string, info types.SegmentInfo) (*walked, error) {
	size, err := f.Size()
	if err != nil {
		return nil, ioError(path, err)
	}
	w := &segmentWalk{
		seg:  &walked{path: path, info: info},
		in:   &window{file: f, size: size, buf: make([]byte, min(size, 1<<20))},
		next: info.BaseIndex,
	}
	return w.seg, w.run()
}

// segmentWalk holds what belongs to the batch being read until its checksum
// proves it whole.
type segmentWalk struct {
	seg   *walked
	in    *window
	next  uint64
	last  logEntry
	index uint64
	wrong string
}

func (w *segmentWalk) run() error {
	head, err := w.in.at(0, segmentHeaderBytes)
	if err != nil {
		return w.stop(err)
	}
	if !headerMatches(head, w.seg.info) {
		return nil
	}
	sum, offset := crc32.Update(0, castagnoli, head), int64(segmentHeaderBytes)
	for {
		head, err := w.in.at(offset, frameHeaderBytes)
		if err != nil {
			return w.stop(err)
		}
		kind, word := head[0], binary.LittleEndian.Uint32(head[4:])
		if head[1]|head[2]|head[3] != 0 {
			return nil
		}
		if kind == frameCommit {
			if word != sum {
				return nil
			}
			offset += frameHeaderBytes
			if err := w.commit(offset); err != nil {
				return err
			}
			sum = 0
			continue
		}
		if kind != frameEntry && kind != frameIndex || word > maxFrameBytes {
			return nil
		}
		frame, err := w.in.at(offset, frameBytes(word))
		if err != nil {
			return w.stop(err)
		}
		if kind == frameIndex {
			w.index = uint64(offset) + frameHeaderBytes
		} else {
			w.entry(frame[frameHeaderBytes : frameHeaderBytes+word])
		}
		sum = crc32.Update(sum, castagnoli, frame)
		offset += int64(len(frame))
	}
}

// stop turns the file's end into the walk's.
func (w *segmentWalk) stop(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return ioError(w.seg.path, err)
}

func (w *segmentWalk) entry(payload []byte) {
	e, ok := decodeLogEntry(payload)
	switch {
	case w.wrong != "":
	case !ok:
		w.wrong = fmt.Sprintf("the entry after %d does not decode", w.next-1)
	case e.index != w.next:
		w.wrong = fmt.Sprintf("entry %d says that it is %d", w.next, e.index)
	case e.kind == raft.LogCommand:
		if err := checkEntry(e.data); err != nil {
			w.wrong = fmt.Sprintf("entry %d: %v", w.next, err)
		}
	}
	w.next++
	w.last = logEntry{index: e.index, term: e.term, kind: e.kind}
}

func (w *segmentWalk) commit(end int64) error {
	if w.wrong != "" {
		return corrupt(w.seg.path, "%s", w.wrong)
	}
	w.seg.end, w.seg.count, w.seg.last, w.seg.indexStart = end, w.next-w.seg.info.BaseIndex, w.last, w.index
	return nil
}

func headerMatches(b []byte, info types.SegmentInfo) bool {
	return binary.LittleEndian.Uint64(b) == segmentMagic &&
		binary.LittleEndian.Uint64(b[8:]) == info.BaseIndex &&
		binary.LittleEndian.Uint64(b[16:]) == info.ID &&
		binary.LittleEndian.Uint64(b[24:]) == info.Codec
}

// checkEntry finds damage alone: an entry of a newer format is the state
// machine's to refuse.
func checkEntry(data []byte) error {
	if err := command.CheckEntry(data); candor.ReasonOf(err) == candor.ReasonDataCorrupt {
		return err
	}
	return nil
}

// frameBytes is a frame's size on disk: header, payload, padding to 8.
func frameBytes(payload uint32) int {
	return frameHeaderBytes + int((payload+7)&^7)
}

// decodeLogEntry reads raft-wal's binary codec; data aliases b.
func decodeLogEntry(b []byte) (logEntry, bool) {
	ok := true
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			ok, b = false, nil
			return 0
		}
		b = b[n:]
		return v
	}
	e := logEntry{index: number(), term: number(), kind: raft.LogType(number())}
	size := number()
	if !ok || size > uint64(len(b)) {
		return e, false
	}
	e.data = b[:size]
	return e, true
}

// window reads forward through a file in large steps.
type window struct {
	file File
	size int64
	buf  []byte
	base int64
	have int
}

// at returns n bytes at offset, valid until the next call, or io.EOF.
func (w *window) at(offset int64, n int) ([]byte, error) {
	if offset+int64(n) > w.size {
		return nil, io.EOF
	}
	if n > len(w.buf) {
		w.buf, w.have = make([]byte, n), 0
	}
	if offset < w.base || offset+int64(n) > w.base+int64(w.have) {
		if err := w.fill(offset); err != nil {
			return nil, err
		}
	}
	from := int(offset - w.base)
	return w.buf[from : from+n], nil
}

func (w *window) fill(offset int64) error {
	want := min(int64(len(w.buf)), w.size-offset)
	n, err := w.file.ReadAt(w.buf[:want], offset)
	if err != nil && (!errors.Is(err, io.EOF) || int64(n) < want) {
		return err
	}
	w.base, w.have = offset, n
	return nil
}
