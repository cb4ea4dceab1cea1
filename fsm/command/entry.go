package command

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/candor-plane/candor"
)

// entryFormat is the first byte of every entry.
const entryFormat = 1

// Entry is what one Raft log entry carries: commands that arrived together,
// each its own turn, under one stamp.
type Entry struct {
	// Term is the leader's that built the entry. In an entry of another term
	// the stamps are ignored.
	Term uint64
	// Time is the leader's cluster time in nanoseconds; 0 for no stamp.
	Time int64
	// Wall is the leader's wall clock in Unix nanoseconds, for people.
	Wall     int64
	Commands [][]byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendEntry appends the encoding of e: format byte, stamps, counted and
// length-prefixed commands, CRC-32C of all that.
func AppendEntry(b []byte, e Entry) []byte {
	start := len(b)
	b = append(b, entryFormat)
	b = binary.AppendUvarint(b, e.Term)
	b = binary.AppendUvarint(b, uint64(e.Time))
	b = binary.AppendUvarint(b, uint64(e.Wall))
	b = binary.AppendUvarint(b, uint64(len(e.Commands)))
	for _, c := range e.Commands {
		b = binary.AppendUvarint(b, uint64(len(c)))
		b = append(b, c...)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// CheckEntry verifies format and checksum alone.
func CheckEntry(data []byte) error {
	if len(data) < 5 {
		return candor.Errorf(candor.ReasonDataCorrupt, "log entry has %d bytes; the shortest has more", len(data))
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return candor.Errorf(candor.ReasonDataCorrupt, "log entry has checksum %08x, its trailer says %08x", got, sum)
	}
	if body[0] != entryFormat {
		return candor.Errorf(candor.ReasonFeatureLevel, "log entry has format %d; this build reads %d: run a newer build", body[0], entryFormat)
	}
	return nil
}

// DecodeEntry verifies and reads an entry. Commands alias data.
func DecodeEntry(data []byte) (Entry, error) {
	if err := CheckEntry(data); err != nil {
		return Entry{}, err
	}
	p := &cursor{data: data[1 : len(data)-4]}
	e := Entry{Term: p.uvarint(), Time: int64(p.uvarint()), Wall: int64(p.uvarint())}
	count := p.uvarint()
	if count > uint64(len(p.data)) {
		return Entry{}, p.damage()
	}
	e.Commands = make([][]byte, 0, count)
	for range count {
		e.Commands = append(e.Commands, p.bytes())
	}
	if p.bad || len(p.data) != 0 {
		return Entry{}, p.damage()
	}
	return e, nil
}

type cursor struct {
	data []byte
	bad  bool
}

func (p *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(p.data)
	if n <= 0 {
		p.bad = true
		return 0
	}
	p.data = p.data[n:]
	return v
}

func (p *cursor) bytes() []byte {
	size := p.uvarint()
	if p.bad || size > uint64(len(p.data)) {
		p.bad = true
		return nil
	}
	part := p.data[:size:size]
	p.data = p.data[size:]
	return part
}

func (p *cursor) damage() error {
	return candor.Errorf(candor.ReasonDataCorrupt, "log entry passes its checksum but does not decode: it was built wrong")
}
