package fsm

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/candor-plane/candor"
)

// A snapshot is a magic line and a sequence of blocks. A block is its
// compressed size, its raw size and the CRC-32C of the compressed bytes (each 4
// bytes, little endian), then a zstd frame. The raw blocks joined are records:
// a type byte, a length and a body.
const (
	snapshotMagic = "candor snapshot 1\n"
	blockSize     = 256 << 10
	blockHeader   = 12
	// maxBlock bounds what a reader allocates for a block that may be damaged.
	maxBlock = 16 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frameWriter turns records into blocks.
type frameWriter struct {
	w       io.Writer
	encoder *zstd.Encoder
	raw     []byte
	packed  []byte
	written int64
}

func newFrameWriter(w io.Writer) (*frameWriter, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	f := &frameWriter{w: w, encoder: encoder, raw: make([]byte, 0, blockSize+64<<10)}
	n, err := io.WriteString(w, snapshotMagic)
	f.written = int64(n)
	return f, err
}

// record appends one record; fill appends its body.
func (f *frameWriter) record(kind byte, body []byte) error {
	f.raw = append(f.raw, kind)
	f.raw = binary.AppendUvarint(f.raw, uint64(len(body)))
	f.raw = append(f.raw, body...)
	if len(f.raw) >= blockSize {
		return f.flush()
	}
	return nil
}

func (f *frameWriter) flush() error {
	if len(f.raw) == 0 {
		return nil
	}
	f.packed = append(f.packed[:0], make([]byte, blockHeader)...)
	f.packed = f.encoder.EncodeAll(f.raw, f.packed)
	body := f.packed[blockHeader:]
	binary.LittleEndian.PutUint32(f.packed[0:], uint32(len(body)))
	binary.LittleEndian.PutUint32(f.packed[4:], uint32(len(f.raw)))
	binary.LittleEndian.PutUint32(f.packed[8:], crc32.Checksum(body, castagnoli))
	f.raw = f.raw[:0]
	n, err := f.w.Write(f.packed)
	f.written += int64(n)
	return err
}

// frameReader turns blocks back into records.
type frameReader struct {
	r       io.Reader
	decoder *zstd.Decoder
	packed  []byte
	raw     []byte
	block   int
}

func newFrameReader(r io.Reader) (*frameReader, error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock))
	if err != nil {
		return nil, err
	}
	magic := make([]byte, len(snapshotMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != snapshotMagic {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "snapshot: it does not begin with %q: it is no snapshot, is damaged, or is of a newer build", snapshotMagic[:len(snapshotMagic)-1])
	}
	return &frameReader{r: r, decoder: decoder}, nil
}

// next returns the next record. Its body lives until the next block is read,
// that is, until a later call of next; fresh blocks are new allocations, so
// what aliases a body stays valid.
func (f *frameReader) next() (kind byte, body []byte, err error) {
	if len(f.raw) == 0 {
		if err := f.read(); err != nil {
			return 0, nil, err
		}
	}
	kind = f.raw[0]
	size, n := binary.Uvarint(f.raw[1:])
	if n <= 0 || size > uint64(len(f.raw)-1-n) {
		return 0, nil, f.damage("a record runs past its block")
	}
	start := 1 + n
	end := start + int(size)
	body, f.raw = f.raw[start:end:end], f.raw[end:]
	return kind, body, nil
}

func (f *frameReader) read() error {
	var header [blockHeader]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return f.damage("it ends before its trailer")
		}
		return err
	}
	f.block++
	packed, raw := binary.LittleEndian.Uint32(header[0:]), binary.LittleEndian.Uint32(header[4:])
	if packed == 0 || raw == 0 || packed > maxBlock || raw > maxBlock {
		return f.damage("a block has an impossible size")
	}
	if cap(f.packed) < int(packed) {
		f.packed = make([]byte, packed)
	}
	f.packed = f.packed[:packed]
	if _, err := io.ReadFull(f.r, f.packed); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return f.damage("a block is cut short")
		}
		return err
	}
	if crc32.Checksum(f.packed, castagnoli) != binary.LittleEndian.Uint32(header[8:]) {
		return f.damage("a block fails its checksum")
	}
	out, err := f.decoder.DecodeAll(f.packed, make([]byte, 0, raw))
	if err != nil || len(out) != int(raw) {
		return f.damage("a block does not decompress")
	}
	f.raw = out
	return nil
}

func (f *frameReader) damage(what string) error {
	return candor.Errorf(candor.ReasonDataCorrupt, "snapshot is damaged at block %d: %s", f.block, what)
}

func (f *frameReader) close() { f.decoder.Close() }
