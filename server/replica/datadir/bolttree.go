package datadir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
)

// The file format of bbolt, as far as a check of it needs. Source: bbolt's
// internal/common (page.go, meta.go, inode.go).
const (
	boltMagic      = 0xED0CDAED
	boltVersion    = 2
	boltHeader     = 16
	boltElement    = 16
	boltMetaBytes  = 64
	boltBranch     = 0x01
	boltLeaf       = 0x02
	boltMeta       = 0x04
	boltBucketFlag = 0x01
	boltNoFreelist = math.MaxUint64
	boltMaxPage    = 1 << 20
)

// checkBolt walks a bbolt file before bbolt opens it. bbolt checks its two
// meta pages alone: it takes the older one when the newer is damaged, which
// undoes the last write, and panics or faults on damage elsewhere. A torn meta
// page is no excuse: it lies within one sector.
//
// visit, when not nil, gets each pair of each bucket in order of keys.
func checkBolt(path string, visit func(bucket string, key, value []byte) error) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return corrupt(path, "missing")
	}
	if err != nil {
		return ioError(path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return ioError(path, err)
	}
	t := &boltTree{path: path, file: f, size: st.Size(), seen: map[uint64]bool{}, visit: visit}
	if err := t.readMeta(); err != nil {
		return err
	}
	if err := t.walk("", t.root, nil); err != nil {
		return err
	}
	// raft-boltdb makes these two, and again where a damaged name hides one.
	if !slices.Equal(t.buckets, []string{"conf", boltLogBucket}) {
		return corrupt(path, "holds the buckets %q, want conf and %s", t.buckets, boltLogBucket)
	}
	return nil
}

type boltTree struct {
	path     string
	file     io.ReaderAt
	size     int64
	pageSize int
	root     uint64
	high     uint64
	seen     map[uint64]bool
	buckets  []string
	visit    func(bucket string, key, value []byte) error
}

func (t *boltTree) damage(page uint64, what string) error {
	return corrupt(t.path, "page %d: %s", page, what)
}

func (t *boltTree) readMeta() error {
	head := make([]byte, boltHeader+boltMetaBytes)
	if err := t.read(head, 0); err != nil {
		return err
	}
	t.pageSize = int(binary.LittleEndian.Uint32(head[boltHeader+8:]))
	if t.pageSize < 512 || t.pageSize > boltMaxPage || t.pageSize&(t.pageSize-1) != 0 {
		return t.damage(0, "meta page names an impossible page size")
	}
	var newest, list uint64
	for id := range uint64(2) {
		if err := t.read(head, int64(id)*int64(t.pageSize)); err != nil {
			return err
		}
		m := head[boltHeader:]
		sum := fnv.New64a()
		sum.Write(m[:boltMetaBytes-8])
		switch {
		case binary.LittleEndian.Uint64(head) != id || binary.LittleEndian.Uint16(head[8:]) != boltMeta:
			return t.damage(id, "not marked as the meta page it is")
		case binary.LittleEndian.Uint64(m[boltMetaBytes-8:]) != sum.Sum64():
			return t.damage(id, "meta page does not match its checksum")
		case binary.LittleEndian.Uint32(m) != boltMagic || binary.LittleEndian.Uint32(m[4:]) != boltVersion:
			return t.damage(id, "not a meta page of this format")
		case int(binary.LittleEndian.Uint32(m[8:])) != t.pageSize:
			return t.damage(id, "the meta pages disagree about the page size")
		}
		if tx := binary.LittleEndian.Uint64(m[48:]); tx >= newest {
			newest, list = tx, binary.LittleEndian.Uint64(m[32:])
			t.root, t.high = binary.LittleEndian.Uint64(m[16:]), binary.LittleEndian.Uint64(m[40:])
		}
	}
	if list != boltNoFreelist {
		return foreign(t.path, "holds a list of free pages, which this server never writes: another program wrote the file")
	}
	return nil
}

func (t *boltTree) read(b []byte, at int64) error {
	_, err := t.file.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		return corrupt(t.path, "truncated: has %d bytes, %d are needed", t.size, at+int64(len(b)))
	}
	return ioError(t.path, err)
}

// walk checks the page and what hangs below it. least, when not nil, is the key
// by which the parent names the page.
func (t *boltTree) walk(bucket string, id uint64, least []byte) error {
	page, err := t.page(id)
	if err != nil {
		return err
	}
	first, err := t.elements(bucket, id, page)
	if err != nil {
		return err
	}
	if least != nil && !bytes.Equal(first, least) {
		return t.damage(id, "first key is not the one its parent names")
	}
	return nil
}

func (t *boltTree) page(id uint64) ([]byte, error) {
	if id < 2 || id >= t.high {
		return nil, t.damage(id, "named by its parent, but outside the file's pages")
	}
	head := make([]byte, boltHeader)
	if err := t.read(head, int64(id)*int64(t.pageSize)); err != nil {
		return nil, err
	}
	over := uint64(binary.LittleEndian.Uint32(head[12:]))
	if binary.LittleEndian.Uint64(head) != id || over >= t.high-id {
		return nil, t.damage(id, "header names another page or too many pages")
	}
	for p := id; p <= id+over; p++ {
		if t.seen[p] {
			return nil, t.damage(p, "belongs to two places")
		}
		t.seen[p] = true
	}
	page := make([]byte, (over+1)*uint64(t.pageSize))
	return page, t.read(page, int64(id)*int64(t.pageSize))
}

// elements checks one page's items, which bbolt lays out without gaps, and
// returns the first key.
func (t *boltTree) elements(bucket string, id uint64, page []byte) ([]byte, error) {
	if len(page) < boltHeader {
		return nil, t.damage(id, "bucket too short for a page")
	}
	flags, count := binary.LittleEndian.Uint16(page[8:]), int(binary.LittleEndian.Uint16(page[10:]))
	if flags != boltLeaf && flags != boltBranch || flags == boltBranch && count == 0 {
		return nil, t.damage(id, "neither a leaf nor a branch")
	}
	end := boltHeader + boltElement*count
	if count == 0 && len(bytes.Trim(page[end:], "\x00")) != 0 {
		return nil, t.damage(id, "says that it is empty and is not")
	}
	var first, last []byte
	for i := range count {
		at := boltHeader + boltElement*i
		if at+boltElement > len(page) {
			return nil, t.damage(id, "more items than fit")
		}
		item := boltItem(flags, page[at:])
		if item.pos != end-at || item.keySize == 0 || item.keySize+item.valueSize > len(page)-end {
			return nil, t.damage(id, "an item is not where it should be")
		}
		key := page[end : end+item.keySize]
		value := page[end+item.keySize : end+item.keySize+item.valueSize]
		end += item.keySize + item.valueSize
		if last != nil && bytes.Compare(last, key) >= 0 {
			return nil, t.damage(id, "keys are not in order")
		}
		if first == nil {
			first = key
		}
		last = key
		if err := t.item(bucket, id, flags, item, key, value); err != nil {
			return nil, err
		}
	}
	return first, nil
}

type boltItemHeader struct {
	bucket                  bool
	pos, keySize, valueSize int
	child                   uint64
	ok                      bool
}

func boltItem(flags uint16, b []byte) boltItemHeader {
	u32 := func(i int) int { return int(binary.LittleEndian.Uint32(b[i:])) }
	if flags == boltBranch {
		return boltItemHeader{pos: u32(0), keySize: u32(4), child: binary.LittleEndian.Uint64(b[8:]), ok: true}
	}
	return boltItemHeader{bucket: u32(0) == boltBucketFlag, pos: u32(4), keySize: u32(8), valueSize: u32(12), ok: u32(0) <= boltBucketFlag}
}

func (t *boltTree) item(bucket string, id uint64, flags uint16, item boltItemHeader, key, value []byte) error {
	switch {
	case !item.ok:
		return t.damage(id, "an item has unknown flags")
	case flags == boltBranch:
		return t.walk(bucket, item.child, key)
	case !item.bucket && bucket == "":
		return t.damage(id, "a value outside every bucket")
	case !item.bucket:
		if t.visit == nil {
			return nil
		}
		return t.visit(bucket, key, value)
	case bucket != "" || len(value) < 16:
		return t.damage(id, "a bucket where none can be")
	}
	t.buckets = append(t.buckets, string(key))
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		return t.walk(string(key), root, nil)
	}
	_, err := t.elements(string(key), id, value[16:])
	return err
}

// createBolt makes a new file whole or not at all: bbolt's own first write
// can be cut short, which nobody can tell from damage later.
func createBolt(fsys FS, path string, fill func(tmp string) error) error {
	there, err := exists(fsys, path)
	if err != nil || there {
		return err
	}
	tmp := path + tmpSuffix
	if err := fsys.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioError(tmp, err)
	}
	if err := fill(tmp); err != nil {
		return ioError(path, err)
	}
	if err := fsys.Rename(tmp, path); err != nil {
		return ioError(path, err)
	}
	return nil
}
