package wire

import (
	"encoding/binary"
	"unsafe"

	"github.com/candor-plane/candor"
)

// Reader walks the fields of one message:
//
//	for r := wire.NewReader(data); r.Next(); {
//		switch r.Field() {
//		case 1:
//			name = r.String()
//		}
//	}
//	return r.Err()
//
// Strings and bytes that it returns alias the input, which must therefore
// never be modified as long as they live. A field of another wire type than
// the one asked for is damage.
type Reader struct {
	data  []byte
	field int
	kind  uint64
	num   uint64
	part  []byte
	bad   bool
}

// NewReader reads data, which it does not copy.
func NewReader(data []byte) Reader { return Reader{data: data} }

// Next steps to the next field; false at the end or at damage.
func (r *Reader) Next() bool {
	if r.bad || len(r.data) == 0 {
		return false
	}
	tag, n := uvarint(r.data)
	if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<20 {
		return r.damage()
	}
	r.data = r.data[n:]
	r.field, r.kind = int(tag>>3), tag&7
	switch r.kind {
	case typeVarint:
		v, n := uvarint(r.data)
		if n <= 0 {
			return r.damage()
		}
		r.num, r.data = v, r.data[n:]
	case typeBytes:
		size, n := uvarint(r.data)
		if n <= 0 || size > uint64(len(r.data)-n) {
			return r.damage()
		}
		end := n + int(size)
		r.part, r.data = r.data[n:end:end], r.data[end:]
	default:
		return r.damage()
	}
	return true
}

// uvarint is binary.Uvarint, at less cost for what is short.
func uvarint(p []byte) (uint64, int) {
	if len(p) > 0 && p[0] < 0x80 {
		return uint64(p[0]), 1
	}
	return binary.Uvarint(p)
}

// Field is the number of the field that Next stepped to.
func (r *Reader) Field() int { return r.field }

// Uint is the field's value as an unsigned varint.
func (r *Reader) Uint() uint64 {
	if r.kind != typeVarint {
		r.damage()
		return 0
	}
	return r.num
}

// Int is the field's value as a two's complement varint.
func (r *Reader) Int() int64 { return int64(r.Uint()) }

// Bool is the field's value as a truth value.
func (r *Reader) Bool() bool { return r.Uint() != 0 }

// Bytes is the field's value; it aliases the input.
func (r *Reader) Bytes() []byte {
	if r.kind != typeBytes {
		r.damage()
		return nil
	}
	return r.part
}

// String is the field's value; it aliases the input.
func (r *Reader) String() string {
	p := r.Bytes()
	if len(p) == 0 {
		return ""
	}
	return unsafe.String(&p[0], len(p)) //nolint:gosec // the contract above: the input is never modified
}

// Fail marks the input as damaged: a nested message was.
func (r *Reader) Fail() { r.damage() }

// Err is nil, or an Error of reason DATA_CORRUPT.
func (r *Reader) Err() error {
	if !r.bad {
		return nil
	}
	return candor.Errorf(candor.ReasonDataCorrupt, "encoded message is damaged near field %d", r.field)
}

func (r *Reader) damage() bool {
	r.bad = true
	return false
}
