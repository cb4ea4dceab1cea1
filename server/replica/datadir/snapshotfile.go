package datadir

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash"
	"hash/crc32"
	"io"

	"github.com/hashicorp/raft"
)

// A snapshot file is: magic, length of the header, header (JSON), CRC-32C of
// all that; the state machine's stream; its length, its CRC-32C, CRC-32C of
// those twelve bytes, magic. Numbers are little-endian.
const (
	snapshotMagic   = "CANDSNP1"
	maxHeaderBytes  = 1 << 20
	trailerBytes    = 24
	snapshotFormat1 = 1
)

// snapshotHeader is what raft wants to know of a snapshot.
type snapshotHeader struct {
	Format             int                `json:"format"`
	Index              uint64             `json:"index"`
	Term               uint64             `json:"term"`
	Configuration      raft.Configuration `json:"configuration"`
	ConfigurationIndex uint64             `json:"configurationIndex"`
}

func (h *snapshotHeader) meta(id string, size int64) *raft.SnapshotMeta {
	return &raft.SnapshotMeta{
		Version: raft.SnapshotVersionMax, ID: id, Index: h.Index, Term: h.Term, Size: size,
		Configuration: h.Configuration, ConfigurationIndex: h.ConfigurationIndex,
	}
}

func encodeHeader(h *snapshotHeader) ([]byte, error) {
	doc, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	b := append([]byte(nil), snapshotMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(doc)))
	b = append(b, doc...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

func encodeTrailer(length int64, sum uint32) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(length))
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, snapshotMagic...)
}

// snapshotFile is an open snapshot whose header and trailer were checked. Read
// yields the stream and ends with DATA_CORRUPT in place of io.EOF if it is not
// the one that was written.
type snapshotFile struct {
	path   string
	file   File
	header snapshotHeader
	length int64
	want   uint32

	stream io.Reader
	sum    hash.Hash32
}

// openSnapshotFile takes ownership of f, also when it fails.
func openSnapshotFile(f File, path string) (*snapshotFile, error) {
	s := &snapshotFile{path: path, file: f, sum: crc32.New(castagnoli)}
	if err := s.readEnds(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return s, nil
}

func (s *snapshotFile) readEnds() error {
	size, err := s.file.Size()
	if err != nil {
		return ioError(s.path, err)
	}
	start, err := s.readHeader()
	if err != nil {
		return err
	}
	trailer := make([]byte, trailerBytes)
	if err := s.readAt(trailer, size-trailerBytes); err != nil {
		return err
	}
	s.length = int64(binary.LittleEndian.Uint64(trailer))
	s.want = binary.LittleEndian.Uint32(trailer[8:])
	if !bytes.Equal(trailer, encodeTrailer(s.length, s.want)) || start+s.length+trailerBytes != size {
		return corrupt(s.path, "truncated, or its end is damaged")
	}
	s.stream = io.NewSectionReader(s.file, start, s.length)
	return nil
}

func (s *snapshotFile) readHeader() (start int64, err error) {
	fixed := make([]byte, len(snapshotMagic)+4)
	if err := s.readAt(fixed, 0); err != nil {
		return 0, err
	}
	n := int64(binary.LittleEndian.Uint32(fixed[len(snapshotMagic):]))
	if string(fixed[:len(snapshotMagic)]) != snapshotMagic || n > maxHeaderBytes {
		return 0, corrupt(s.path, "does not begin as a snapshot does")
	}
	head := make([]byte, int64(len(fixed))+n+4)
	if err := s.readAt(head, 0); err != nil {
		return 0, err
	}
	body := head[:len(head)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[len(body):]) {
		return 0, corrupt(s.path, "header does not match its checksum")
	}
	if err := json.Unmarshal(body[len(fixed):], &s.header); err != nil {
		return 0, corrupt(s.path, "header: %v", err)
	}
	if s.header.Format != snapshotFormat1 {
		return 0, foreign(s.path, "format %d; this build reads %d", s.header.Format, snapshotFormat1)
	}
	return int64(len(head)), nil
}

func (s *snapshotFile) readAt(b []byte, at int64) error {
	if at < 0 {
		return corrupt(s.path, "truncated")
	}
	_, err := s.file.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		return corrupt(s.path, "truncated")
	}
	return ioError(s.path, err)
}

// Read reads the stream.
func (s *snapshotFile) Read(p []byte) (int, error) {
	n, err := s.stream.Read(p)
	s.sum.Write(p[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		return n, ioError(s.path, err)
	}
	if err != nil && s.sum.Sum32() != s.want {
		return n, corrupt(s.path, "contents do not match their checksum")
	}
	return n, err
}

// Close closes the file.
func (s *snapshotFile) Close() error { return ioError(s.path, s.file.Close()) }
