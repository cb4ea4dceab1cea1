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

// Blocks reads a snapshot's blocks, in order, each checked and decompressed. It
// belongs to one goroutine, which need not be the one that restores: see
// RestoreBlocks. Close it when done.
type Blocks struct {
	r       io.Reader
	decoder *zstd.Decoder
	packed  []byte
	count   int
}

// ReadBlocks begins to read a snapshot. The error is DATA_CORRUPT for anything
// that does not begin as one.
func ReadBlocks(r io.Reader) (*Blocks, error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock))
	if err != nil {
		return nil, err
	}
	b := &Blocks{r: r, decoder: decoder}
	magic := make([]byte, len(snapshotMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != snapshotMagic {
		b.Close()
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "snapshot: it does not begin with %q: it is no snapshot, is damaged, or is of a newer build", snapshotMagic[:len(snapshotMagic)-1])
	}
	return b, nil
}

// Next returns the next block, in memory of its own, or io.EOF where the
// snapshot ends between two blocks.
func (b *Blocks) Next() ([]byte, error) {
	var header [blockHeader]byte
	if _, err := io.ReadFull(b.r, header[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, blockDamage(b.count, "it ends within a block")
		}
		return nil, err
	}
	b.count++
	packed, raw := binary.LittleEndian.Uint32(header[0:]), binary.LittleEndian.Uint32(header[4:])
	if packed == 0 || raw == 0 || packed > maxBlock || raw > maxBlock {
		return nil, blockDamage(b.count, "a block has an impossible size")
	}
	if cap(b.packed) < int(packed) {
		b.packed = make([]byte, packed)
	}
	b.packed = b.packed[:packed]
	if _, err := io.ReadFull(b.r, b.packed); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, blockDamage(b.count, "a block is cut short")
		}
		return nil, err
	}
	if crc32.Checksum(b.packed, castagnoli) != binary.LittleEndian.Uint32(header[8:]) {
		return nil, blockDamage(b.count, "a block fails its checksum")
	}
	out, err := b.decoder.DecodeAll(b.packed, make([]byte, 0, raw))
	if err != nil || len(out) != int(raw) {
		return nil, blockDamage(b.count, "a block does not decompress")
	}
	return out, nil
}

// Close frees what reading took.
func (b *Blocks) Close() { b.decoder.Close() }

func blockDamage(block int, what string) error {
	return candor.Errorf(candor.ReasonDataCorrupt, "snapshot is damaged at block %d: %s", block, what)
}

// BlockSource yields the blocks of a snapshot as Blocks does.
type BlockSource interface{ Next() ([]byte, error) }

// frameReader turns blocks back into records.
type frameReader struct {
	source BlockSource
	raw    []byte
	block  int
}

// next returns the next record. Blocks are allocations of their own, so what
// aliases a body stays valid.
func (f *frameReader) next() (kind byte, body []byte, err error) {
	if len(f.raw) == 0 {
		if f.raw, err = f.source.Next(); err != nil {
			if errors.Is(err, io.EOF) {
				err = f.damage("it ends before its trailer")
			}
			return 0, nil, err
		}
		f.block++
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

// end checks that nothing follows.
func (f *frameReader) end() error {
	if len(f.raw) > 0 {
		return f.damage("it goes on after its trailer")
	}
	switch _, err := f.source.Next(); {
	case err == nil:
		return f.damage("it goes on after its trailer")
	case !errors.Is(err, io.EOF):
		return err
	default:
		return nil
	}
}

func (f *frameReader) damage(what string) error { return blockDamage(f.block, what) }
