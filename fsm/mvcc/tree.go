package mvcc

import (
	"strings"
	"sync"

	"github.com/tidwall/btree"
)

// Tree holds the newest version of every object of one kind, deletions not yet
// pruned included, in key order. The zero Tree is unusable; call NewTree.
type Tree struct {
	heads *btree.BTreeG[*Version]
}

// probes are keys to search with: the tree's comparison takes versions.
var probes = sync.Pool{New: func() any { return new(Version) }}

// NewTree returns an empty tree.
func NewTree() Tree {
	return Tree{heads: btree.NewBTreeGOptions(func(a, b *Version) bool { return a.Key < b.Key }, btree.Options{NoLocks: true})}
}

// Copy returns a snapshot in constant time; later changes copy what they touch.
func (t Tree) Copy() Tree { return Tree{heads: t.heads.Copy()} }

// Head is the newest version at key, a deletion included, or nil.
func (t Tree) Head(key string) *Version {
	probe, _ := probes.Get().(*Version)
	probe.Key = key
	v, _ := t.heads.Get(probe)
	probe.Key = ""
	probes.Put(probe)
	return v
}

// At is the version at key as of revision, or nil when there was none. The
// caller has checked that revision is at or above the floor.
func (t Tree) At(key string, revision uint64) *Version {
	return asOf(t.Head(key), revision)
}

// Set makes v the head of its key.
func (t Tree) Set(v *Version) { t.heads.Set(v) }

// Delete removes the key.
func (t Tree) Delete(v *Version) { t.heads.Delete(v) }

// Append adds v, whose key is above all others: fast loading.
func (t Tree) Append(v *Version) { t.heads.Load(v) }

// Len counts the heads, deletions included.
func (t Tree) Len() int { return t.heads.Len() }

// Scan calls yield for the heads with prefix and a key strictly after the
// given one ("" for the first), in order, until it returns false.
func (t Tree) Scan(prefix, after string, yield func(*Version) bool) {
	from := max(prefix, after)
	t.heads.Ascend(&Version{Key: from}, func(v *Version) bool {
		if !strings.HasPrefix(v.Key, prefix) {
			return false
		}
		if v.Key <= after && after != "" {
			return true
		}
		return yield(v)
	})
}

// ScanAt is Scan over the live versions as of revision.
func (t Tree) ScanAt(prefix, after string, revision uint64, yield func(*Version) bool) {
	t.Scan(prefix, after, func(head *Version) bool {
		v := asOf(head, revision)
		if v == nil || v.Deleted {
			return true
		}
		return yield(v)
	})
}

func asOf(v *Version, revision uint64) *Version {
	for v != nil && v.Revision > revision {
		v = v.Prev()
	}
	return v
}
