package tenure

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Digest identifies a sealed era and, through the seal that it cites, every era
// before it.
type Digest [sha256.Size]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero says that it is the digest of nothing.
func (d Digest) IsZero() bool { return d == Digest{} }

const digestOrigin = "candor tenure seal 1\n"

// digest is SHA-256 over the origin line, the texts duty and holder, each after
// its length, the era's number, when it was granted, start, usage and the number
// of its predecessor as 8 bytes each, big endian, and the seal that it cites.
func (e *Era) digest(duty string) Digest {
	b := make([]byte, 0, 256)
	b = append(b, digestOrigin...)
	for _, s := range []string{duty, e.Holder} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	for _, v := range []uint64{
		e.Number, uint64(e.GrantedAt),
		e.Start.ID, e.Start.Timestamp, e.Start.Transition,
		e.Usage.ID, e.Usage.Timestamp, e.Usage.Transition,
		e.Predecessor,
	} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return sha256.Sum256(append(b, e.Lineage[:]...))
}
