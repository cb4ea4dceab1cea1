package wire

import "encoding/binary"

// The protobuf wire types in use.
const (
	typeVarint = 0
	typeBytes  = 2
)

// AppendUint appends a varint field, nothing for 0.
func AppendUint(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(field)<<3|typeVarint)
	return binary.AppendUvarint(b, v)
}

// AppendInt appends a signed varint field in two's complement, nothing for 0.
func AppendInt(b []byte, field int, v int64) []byte { return AppendUint(b, field, uint64(v)) }

// AppendOptional appends a varint field even for 0: one whose absence says
// something else.
func AppendOptional(b []byte, field int, v uint64) []byte {
	b = binary.AppendUvarint(b, uint64(field)<<3|typeVarint)
	return binary.AppendUvarint(b, v)
}

// AppendBool appends a field for true, nothing for false.
func AppendBool(b []byte, field int, v bool) []byte {
	if !v {
		return b
	}
	return AppendUint(b, field, 1)
}

// AppendString appends a length-delimited field, nothing for "".
func AppendString(b []byte, field int, s string) []byte {
	if s == "" {
		return b
	}
	b = appendHeader(b, field, len(s))
	return append(b, s...)
}

// AppendBytes appends a length-delimited field, nothing for an empty p.
func AppendBytes(b []byte, field int, p []byte) []byte {
	if len(p) == 0 {
		return b
	}
	b = appendHeader(b, field, len(p))
	return append(b, p...)
}

// AppendMessage appends a length-delimited field even when p is empty: a
// message that is present but has only defaults, or a repeated empty element.
func AppendMessage(b []byte, field int, p []byte) []byte {
	b = appendHeader(b, field, len(p))
	return append(b, p...)
}

func appendHeader(b []byte, field, size int) []byte {
	b = binary.AppendUvarint(b, uint64(field)<<3|typeBytes)
	return binary.AppendUvarint(b, uint64(size))
}

// begin opens a message field whose size is not known yet; end closes it. One
// byte is kept for the size; a larger message is moved.
func begin(b []byte, field int) ([]byte, int) {
	b = binary.AppendUvarint(b, uint64(field)<<3|typeBytes)
	return append(b, 0), len(b) + 1
}

func end(b []byte, start int) []byte {
	size := len(b) - start
	if size < 0x80 {
		b[start-1] = byte(size)
		return b
	}
	var prefix [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(prefix[:], uint64(size))
	b = append(b, prefix[:n-1]...)
	copy(b[start-1+n:], b[start:start+size])
	copy(b[start-1:], prefix[:n])
	return b
}

// AppendNested appends a message field whose content fill appends.
func AppendNested(b []byte, field int, fill func([]byte) []byte) []byte {
	b, start := begin(b, field)
	return end(fill(b), start)
}
