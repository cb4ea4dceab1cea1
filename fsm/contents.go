package fsm

import (
	"encoding/binary"
	"io"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// Inspection is what a verified snapshot holds.
type Inspection struct {
	SnapshotHeader
	// Contents is the digest of the live objects alone: of each its kind, key,
	// revision and stored form, which is all that a user can see of it, its cause
	// included. Position, time, history, members and requests have no part in it,
	// so a restored cluster has its source's until something is written.
	Contents Digest
}

// ScanSnapshot verifies a snapshot as it streams by, in little memory: its
// checksums, the order of its records, the counts, and the digest of the whole.
// What it leaves to Restore is the order of versions within a turn. Damage is
// DATA_CORRUPT.
func ScanSnapshot(r io.Reader) (Inspection, error) {
	l := &loader{scans: true}
	s, err := l.read(r)
	if err != nil {
		return Inspection{}, candor.Wrap("scan snapshot", err)
	}
	return Inspection{SnapshotHeader: headerOf(s), Contents: digestContents(l.contents, s.objects)}, nil
}

// inspect goes over every live object of a state.
func inspect(s *state) Inspection {
	var contents sum
	for _, k := range s.kinds {
		k.tree.Scan("", "", func(head *mvcc.Version) bool {
			if !head.Deleted {
				contents.add(head.Hash(k.name))
			}
			return true
		})
	}
	return Inspection{SnapshotHeader: headerOf(s), Contents: digestContents(contents, s.objects)}
}

func digestContents(contents sum, objects uint64) Digest {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[0:], contents.hi)
	binary.LittleEndian.PutUint64(b[8:], contents.lo)
	binary.LittleEndian.PutUint64(b[16:], objects)
	h := xxh3.Hash128(b[:])
	return h.Bytes()
}
