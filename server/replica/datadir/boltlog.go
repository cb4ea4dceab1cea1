package datadir

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"

	"github.com/candor-plane/candor"
)

const (
	boltLogName   = "log.db"
	boltLogBucket = "logs"
	boltConf      = "conf"
	boltBoundsKey = "bounds"

	// boltEntryHead is term, type and time; the chained checksum comes last.
	boltEntryHead = 8 + 1 + 8
	boltEntryTail = 4
)

// boltLog keeps the log in a bbolt file. bbolt has no checksum over what it
// keeps, and its free pages hold older states of the log that one flipped bit
// can bring back. So each entry's checksum continues its predecessor's, and
// every transaction writes where the chain begins and ends: the bounds lie
// inline in the root page, whose number is under the meta page's checksum, so
// that they are always the newest.
type boltLog struct {
	path string
	bolt *bbolt.DB

	mu     sync.RWMutex
	bounds boltBounds
}

// boltBounds are the first and last entry, 0 and 0 when there is none, and the
// chain's checksum before the first and after the last.
type boltBounds struct {
	first, last uint64
	base, tip   uint32
}

var (
	_ raft.LogStore          = (*boltLog)(nil)
	_ raft.MonotonicLogStore = (*boltLog)(nil)
)

func createBoltLog(fsys FS, path string) error {
	return createBolt(fsys, path, func(tmp string) error {
		b, err := bbolt.Open(tmp, 0o600, boltOptions(tmp).BoltOptions)
		if err != nil {
			return err
		}
		err = b.Update(func(tx *bbolt.Tx) error {
			if _, err := tx.CreateBucket([]byte(boltLogBucket)); err != nil {
				return err
			}
			conf, err := tx.CreateBucket([]byte(boltConf))
			if err != nil {
				return err
			}
			return conf.Put([]byte(boltBoundsKey), boltBounds{}.encode())
		})
		return errors.Join(err, b.Close())
	})
}

// openBoltLog checks the file's structure, every entry and the bounds, and opens
// it.
func openBoltLog(path string, readOnly bool) (*boltLog, error) {
	bounds, err := checkBoltLog(path)
	if err != nil {
		return nil, err
	}
	o := boltOptions(path).BoltOptions
	o.ReadOnly = readOnly
	b, err := bbolt.Open(path, 0o600, o)
	if err != nil {
		return nil, ioError(path, err)
	}
	return &boltLog{path: path, bolt: b, bounds: bounds}, nil
}

// checkBoltLog reads the whole file, which must be closed.
func checkBoltLog(path string) (boltBounds, error) {
	var said *boltBounds
	var found boltBounds
	err := checkBolt(path, func(bucket string, key, value []byte) error {
		if bucket == boltConf {
			var err error
			said, err = decodeBounds(value)
			if err != nil || string(key) != boltBoundsKey {
				return corrupt(path, "the bounds of the log are damaged")
			}
			found.base, found.tip = said.base, said.base
			return nil
		}
		if len(key) != 8 {
			return corrupt(path, "an entry's key has %d bytes, want 8", len(key))
		}
		index := binary.BigEndian.Uint64(key)
		if found.last != 0 && index != found.last+1 {
			return corrupt(path, "entry %d is missing", found.last+1)
		}
		if found.last == 0 {
			found.first = index
		}
		found.last = index
		var err error
		if found.tip, err = checkBoltEntry(found.tip, index, value); err != nil {
			return corrupt(path, "entry %d does not match its checksum", index)
		}
		return nil
	})
	switch {
	case err != nil:
		return boltBounds{}, err
	case said == nil:
		return boltBounds{}, corrupt(path, "the bounds of the log are missing")
	case *said != found:
		return boltBounds{}, corrupt(path, "holds the entries %d to %d; %d to %d were written, and not these",
			found.first, found.last, said.first, said.last)
	}
	return found, nil
}

// FirstIndex is the first entry's, or 0.
func (l *boltLog) FirstIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.bounds.first, nil
}

// LastIndex is the last entry's, or 0.
func (l *boltLog) LastIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.bounds.last, nil
}

// IsMonotonic tells raft that indexes have no gaps.
func (*boltLog) IsMonotonic() bool { return true }

// GetLog reads an entry and checks it against its predecessor's checksum.
// raft.ErrLogNotFound is passed as it is.
func (l *boltLog) GetLog(index uint64, log *raft.Log) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if index < l.bounds.first || index > l.bounds.last || index == 0 {
		return raft.ErrLogNotFound
	}
	return l.view(func(logs *bbolt.Bucket) error {
		before, err := l.chainAt(logs, index-1)
		if err != nil {
			return err
		}
		value := logs.Get(binary.BigEndian.AppendUint64(nil, index))
		if _, err := checkBoltEntry(before, index, value); err != nil {
			return corrupt(l.path, "entry %d does not match its checksum", index)
		}
		*log = raft.Log{
			Index: index,
			Term:  binary.BigEndian.Uint64(value),
			Type:  raft.LogType(value[8]),
			Data:  append([]byte(nil), value[boltEntryHead:len(value)-boltEntryTail]...),
		}
		if at := int64(binary.BigEndian.Uint64(value[9:])); at != 0 {
			log.AppendedAt = time.Unix(0, at)
		}
		return nil
	})
}

// StoreLog stores one entry durably.
func (l *boltLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// StoreLogs stores entries durably. They continue the log.
func (l *boltLog) StoreLogs(logs []*raft.Log) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.bounds
	return l.update(&next, func(bucket *bbolt.Bucket) error {
		// Entries come in order of keys: pages may be filled.
		bucket.FillPercent = 0.95
		for _, log := range logs {
			switch {
			case len(log.Extensions) != 0:
				return refusal(candor.ReasonInternal, l.path, "entry %d has extensions, for which there is no place", log.Index)
			case next.last != 0 && log.Index != next.last+1:
				return refusal(candor.ReasonInternal, l.path, "entry %d cannot follow entry %d", log.Index, next.last)
			case next.last == 0:
				next.first = log.Index
			}
			next.last = log.Index
			value := appendBoltEntry(next.tip, log)
			next.tip = binary.BigEndian.Uint32(value[len(value)-boltEntryTail:])
			if err := bucket.Put(binary.BigEndian.AppendUint64(nil, log.Index), value); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRange removes entries from either end.
func (l *boltLog) DeleteRange(low, high uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.bounds
	low, high = max(low, next.first), min(high, next.last)
	if low > high || next.last == 0 {
		return nil
	}
	return l.update(&next, func(logs *bbolt.Bucket) error {
		var err error
		switch {
		case low == next.first && high == next.last:
			next = boltBounds{}
		case low == next.first:
			next.base, err = l.chainAt(logs, high)
			next.first = high + 1
		case high == next.last:
			next.tip, err = l.chainAt(logs, low-1)
			next.last = low - 1
		default:
			err = refusal(candor.ReasonInternal, l.path, "entries %d to %d are the middle of the log", low, high)
		}
		if err != nil {
			return err
		}
		cursor := logs.Cursor()
		for key, _ := cursor.Seek(binary.BigEndian.AppendUint64(nil, low)); key != nil; key, _ = cursor.Next() {
			if binary.BigEndian.Uint64(key) > high {
				break
			}
			if err := cursor.Delete(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *boltLog) close() error     { return ioError(l.path, l.bolt.Close()) }
func (l *boltLog) lastFile() string { return l.path }

func (l *boltLog) view(read func(logs *bbolt.Bucket) error) error {
	return ioError(l.path, l.bolt.View(func(tx *bbolt.Tx) error {
		return read(tx.Bucket([]byte(boltLogBucket)))
	}))
}

// update writes the bounds in the transaction that changes the entries. Callers
// hold mu.
func (l *boltLog) update(next *boltBounds, change func(logs *bbolt.Bucket) error) error {
	err := l.bolt.Update(func(tx *bbolt.Tx) error {
		if err := change(tx.Bucket([]byte(boltLogBucket))); err != nil {
			return err
		}
		return tx.Bucket([]byte(boltConf)).Put([]byte(boltBoundsKey), next.encode())
	})
	if err == nil {
		l.bounds = *next
	}
	return ioError(l.path, err)
}

// chainAt is the chain's checksum after the entry at index.
func (l *boltLog) chainAt(logs *bbolt.Bucket, index uint64) (uint32, error) {
	switch index {
	case l.bounds.first - 1:
		return l.bounds.base, nil
	case l.bounds.last:
		return l.bounds.tip, nil
	}
	value := logs.Get(binary.BigEndian.AppendUint64(nil, index))
	if len(value) < boltEntryHead+boltEntryTail {
		return 0, corrupt(l.path, "entry %d is damaged", index)
	}
	return binary.BigEndian.Uint32(value[len(value)-boltEntryTail:]), nil
}

func appendBoltEntry(before uint32, log *raft.Log) []byte {
	b := make([]byte, 0, boltEntryHead+len(log.Data)+boltEntryTail)
	b = binary.BigEndian.AppendUint64(b, log.Term)
	b = append(b, byte(log.Type))
	var at int64
	if !log.AppendedAt.IsZero() {
		at = log.AppendedAt.UnixNano()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = append(b, log.Data...)
	return binary.BigEndian.AppendUint32(b, boltChain(before, log.Index, b))
}

// checkBoltEntry returns the chain's checksum after the entry.
func checkBoltEntry(before uint32, index uint64, value []byte) (uint32, error) {
	if len(value) < boltEntryHead+boltEntryTail {
		return 0, candor.Errorf(candor.ReasonDataCorrupt, "entry %d is too short", index)
	}
	body, tail := value[:len(value)-boltEntryTail], value[len(value)-boltEntryTail:]
	sum := binary.BigEndian.Uint32(tail)
	if sum != boltChain(before, index, body) {
		return 0, candor.Errorf(candor.ReasonDataCorrupt, "entry %d does not match its checksum", index)
	}
	return sum, nil
}

func boltChain(before uint32, index uint64, body []byte) uint32 {
	head := binary.BigEndian.AppendUint32(nil, before)
	head = binary.BigEndian.AppendUint64(head, index)
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, body)
}

func (b boltBounds) encode() []byte {
	out := binary.BigEndian.AppendUint64(nil, b.first)
	out = binary.BigEndian.AppendUint64(out, b.last)
	out = binary.BigEndian.AppendUint32(out, b.base)
	out = binary.BigEndian.AppendUint32(out, b.tip)
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(out, castagnoli))
}

func decodeBounds(b []byte) (*boltBounds, error) {
	if len(b) != 28 || binary.BigEndian.Uint32(b[24:]) != crc32.Checksum(b[:24], castagnoli) {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "the bounds do not match their checksum")
	}
	return &boltBounds{
		first: binary.BigEndian.Uint64(b),
		last:  binary.BigEndian.Uint64(b[8:]),
		base:  binary.BigEndian.Uint32(b[16:]),
		tip:   binary.BigEndian.Uint32(b[20:]),
	}, nil
}
