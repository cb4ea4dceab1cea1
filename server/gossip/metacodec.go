package gossip

import (
	"encoding/binary"
	"math"
	"strings"
)

// The form of announced metadata: one version byte, then fields of
//
//	tag (1 byte) | length (uvarint) | value
//
// in strictly ascending tag order. Empty and zero fields are left out. Numbers
// are uvarints; server IDs are 16 raw bytes; an ID that may be a UUID has a byte
// before it that says so. A reader skips tags that it does not know, so fields
// may be added under version 1; a tag never changes its meaning, and anything
// that an old reader would misunderstand needs another version.
const metaVersion = 1

const (
	tagClusterID = iota + 1
	tagServerID
	tagBootID
	tagName
	tagAPIAddr
	tagRaftAddr
	tagDebugAddr
	tagFeatureLevel
	tagVersion
	tagLeaderID
	tagTerm
	tagApplied
	tagFlags
	tagMode
)

const (
	flagVoter = 1 << iota
	flagLeaving
)

const (
	idText = 0
	idUUID = 1
)

// encodeMeta returns the announced form of m, or the reason why m cannot be
// announced: a field out of its bounds, or more than MaxMetaBytes in all.
func encodeMeta(m Meta) ([]byte, error) {
	if err := m.Identity.validate(); err != nil {
		return nil, err
	}
	if err := m.Hints.validate(); err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, 256), metaVersion)
	b = appendID(b, tagClusterID, m.ClusterID)
	b = appendServerID(b, tagServerID, m.ServerID)
	b = appendID(b, tagBootID, m.BootID)
	b = appendText(b, tagName, m.Name)
	b = appendText(b, tagAPIAddr, m.APIAddr)
	b = appendText(b, tagRaftAddr, m.RaftAddr)
	b = appendText(b, tagDebugAddr, m.DebugAddr)
	b = appendNumber(b, tagFeatureLevel, uint64(m.FeatureLevel))
	b = appendText(b, tagVersion, m.Version)
	b = appendServerID(b, tagLeaderID, m.LeaderID)
	b = appendNumber(b, tagTerm, m.Term)
	b = appendNumber(b, tagApplied, m.Applied)
	b = appendNumber(b, tagFlags, flags(m))
	b = appendText(b, tagMode, m.Mode)
	if len(b) > MaxMetaBytes {
		return nil, refuse("metadata has %d bytes, want at most %d: shorten the name, the addresses or the version",
			len(b), MaxMetaBytes)
	}
	return b, nil
}

// checkRoom refuses an identity that some later value of the hints would push
// over the limit, so that an announcement never fails while the server runs.
func checkRoom(i Identity) error {
	worst := Meta{Identity: i, Leaving: true, Hints: Hints{
		LeaderID: i.ServerID, Term: math.MaxUint64, Applied: math.MaxUint64,
		Voter: true, Mode: strings.Repeat("M", maxModeBytes),
	}}
	_, err := encodeMeta(worst)
	return err
}

// decodeMeta accepts what encodeMeta of this or a later minor form wrote, and
// nothing that encodeMeta would refuse to write.
func decodeMeta(b []byte) (Meta, error) {
	if len(b) > MaxMetaBytes {
		return Meta{}, refuse("metadata has %d bytes, want at most %d", len(b), MaxMetaBytes)
	}
	if len(b) == 0 {
		return Meta{}, refuse("metadata is empty")
	}
	if b[0] != metaVersion {
		return Meta{}, refuse("metadata has version %d, want %d", b[0], metaVersion)
	}
	var m Meta
	last, rest := byte(0), b[1:]
	for len(rest) > 0 {
		tag := rest[0]
		if tag <= last {
			return Meta{}, refuse("metadata field %d after field %d, want ascending order", tag, last)
		}
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return Meta{}, refuse("metadata field %d is cut off", tag)
		}
		value := rest[1+n : 1+n+int(size)]
		if !decodeField(&m, tag, value) {
			return Meta{}, refuse("metadata field %d has a bad value of %d bytes", tag, len(value))
		}
		last, rest = tag, rest[1+n+int(size):]
	}
	if err := m.Identity.validate(); err != nil {
		return Meta{}, err
	}
	if err := m.Hints.validate(); err != nil {
		return Meta{}, err
	}
	return m, nil
}

func decodeField(m *Meta, tag byte, value []byte) bool {
	number, n := binary.Uvarint(value)
	isNumber := n > 0 && n == len(value)
	ok := true
	switch tag {
	case tagClusterID:
		m.ClusterID, ok = readID(value)
	case tagServerID:
		m.ServerID, ok = readServerID(value)
	case tagBootID:
		m.BootID, ok = readID(value)
	case tagName:
		m.Name = string(value)
	case tagAPIAddr:
		m.APIAddr = string(value)
	case tagRaftAddr:
		m.RaftAddr = string(value)
	case tagDebugAddr:
		m.DebugAddr = string(value)
	case tagFeatureLevel:
		ok = isNumber && number <= math.MaxUint32
		m.FeatureLevel = uint32(number)
	case tagVersion:
		m.Version = string(value)
	case tagLeaderID:
		m.LeaderID, ok = readServerID(value)
	case tagTerm:
		m.Term, ok = number, isNumber
	case tagApplied:
		m.Applied, ok = number, isNumber
	case tagFlags:
		ok = isNumber
		m.Voter, m.Leaving = number&flagVoter != 0, number&flagLeaving != 0
	case tagMode:
		m.Mode = string(value)
	}
	return ok
}

func flags(m Meta) uint64 {
	var f uint64
	if m.Voter {
		f |= flagVoter
	}
	if m.Leaving {
		f |= flagLeaving
	}
	return f
}

func appendField(b []byte, tag byte, value []byte) []byte {
	b = append(b, tag)
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}

func appendText(b []byte, tag byte, s string) []byte {
	if s == "" {
		return b
	}
	return appendField(b, tag, []byte(s))
}

func appendNumber(b []byte, tag byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	return appendField(b, tag, binary.AppendUvarint(nil, v))
}

func appendServerID(b []byte, tag byte, s string) []byte {
	id, ok := parseUUID(s)
	if !ok {
		return b
	}
	return appendField(b, tag, id[:])
}

func appendID(b []byte, tag byte, s string) []byte {
	if id, ok := parseUUID(s); ok {
		return appendField(b, tag, append([]byte{idUUID}, id[:]...))
	}
	return appendField(b, tag, append([]byte{idText}, s...))
}

func readServerID(value []byte) (string, bool) {
	if len(value) != 16 {
		return "", false
	}
	return formatUUID(value), true
}

func readID(value []byte) (string, bool) {
	if len(value) == 0 {
		return "", false
	}
	if value[0] == idText {
		return string(value[1:]), true
	}
	if value[0] != idUUID || len(value) != 17 {
		return "", false
	}
	return formatUUID(value[1:]), true
}
