// Package mvcc is the versioned store under the state machine: immutable
// versions in newest-first chains, one copy-on-write B-tree of chain heads a
// kind, an index by revision, and compaction under a floor.
//
// One goroutine writes. What it has published (a Tree copy and a History value
// handed out together) any goroutine may read without locks while the writer
// goes on. The package guarantees that a published value never changes, down to
// the floor: below it chains may have been cut, and whoever reads refuses that
// with COMPACTED before asking here. fsm alone writes it.
package mvcc

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/wire"
)

// Version is one version of one object. All fields but the chain are immutable
// after publication.
type Version struct {
	// Key is the object's candor.Ref key within its kind.
	Key string
	// Data is the stored form, candor.v1.Object. A deletion carries the last
	// state, with the cause of the deletion.
	Data     []byte
	Revision uint64
	prev     atomic.Pointer[Version]
	// sibling is the next version made by the same turn.
	sibling *Version
	// Kind is the ordinal of the kind in the state that holds the version.
	Kind uint32
	// Deleted marks a deletion.
	Deleted bool
}

// Object decodes the version. The result aliases Data: it may be kept, and its
// raw parts must not be modified.
func (v *Version) Object() (*candor.Object, error) { return wire.DecodeObject(v.Data) }

// Prev is the version before, or nil: none, or pruned. Only a version above
// the pruning cursor of the reader's own view may be asked (see History).
func (v *Version) Prev() *Version { return v.prev.Load() }

// Sibling is the next version of the same revision, in the turn's order.
func (v *Version) Sibling() *Version { return v.sibling }

// Size is what the version adds to the state's byte count.
func (v *Version) Size() uint64 { return uint64(len(v.Data) + len(v.Key) + versionOverhead) }

// versionOverhead is the fixed part of a version and its share of the tree.
const versionOverhead = 160

// Link sets the version before, once, before publication.
func (v *Version) Link(prev *Version) { v.prev.Store(prev) }

// Unlink forgets the version before.
func (v *Version) Unlink() { v.prev.Store(nil) }

// LinkSibling appends next to the versions of v's turn, before publication.
func (v *Version) LinkSibling(next *Version) { v.sibling = next }

// Hash is the version's share of the state digest.
func (v *Version) Hash(kind candor.KindName) xxh3.Uint128 {
	h := xxh3.Hash128(v.Data)
	var salt [32]byte
	binary.LittleEndian.PutUint64(salt[0:], h.Lo)
	binary.LittleEndian.PutUint64(salt[8:], h.Hi)
	binary.LittleEndian.PutUint64(salt[16:], v.Revision)
	binary.LittleEndian.PutUint64(salt[24:], xxh3.HashString(string(kind)))
	if v.Deleted {
		salt[31] ^= 0x80
	}
	return xxh3.Hash128(salt[:])
}
