package transition

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/candor-plane/candor"
)

// MaxTargetBytes bounds a target, MaxIntentBytes an intent.
const (
	MaxTargetBytes = 512
	MaxIntentBytes = 16 << 10
	maxKindBytes   = 40
)

// Kind is what a transition does.
type Kind string

// Check returns an Error of reason INVALID unless the kind is a DNS-1123 label of at
// most 40 bytes: names of objects begin with it.
func (k Kind) Check() *candor.Error {
	if candor.CheckNamespace("kind", string(k)) != nil || len(k) > maxKindBytes {
		return candor.Errorf(candor.ReasonInvalid, "transition kind %.80q: want lower-case letters, digits and '-', at most %d", string(k), maxKindBytes)
	}
	return nil
}

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// IsZero says whether there is none.
func (d Digest) IsZero() bool { return d == Digest{} }

// String is the digest in hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// idBytes of the digest name a transition: 96 bits.
const idBytes = 12

// ID is the name of the transition that a turn plans: the same on every node, and
// another one when the operation is planned again. It is a DNS-1123 name where the
// kind is a label.
func ID(kind Kind, target string, revision uint64) string {
	d := digest("candor transition", string(kind), target, string(binary.BigEndian.AppendUint64(nil, revision)))
	return string(kind) + "-" + hex.EncodeToString(d[:idBytes])
}

// IntentDigest is what two plans share that want the same of the same target. The
// intent counts byte for byte.
func IntentDigest(kind Kind, target string, intent []byte) Digest {
	return digest("candor intent", string(kind), target, string(intent))
}

// digest of the parts, each behind its length, so that no two lists are one.
func digest(parts ...string) Digest {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

// parseDigest reads what String prints.
func parseDigest(text string) (Digest, bool) {
	var d Digest
	if len(text) != 2*len(d) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(text))
	return d, err == nil && d.String() == text
}
