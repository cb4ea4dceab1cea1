package datadir

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/candor-plane/candor"
)

const (
	boltLogName   = "log.db"
	boltLogBucket = "logs"
)

// boltLog is raft-boltdb. bbolt has no checksum over its contents, so each
// entry carries one in its extensions while it is in the file.
type boltLog struct {
	path string
	bolt *raftboltdb.BoltStore
}

var _ raft.LogStore = (*boltLog)(nil)

func createBoltLog(fsys FS, path string) error {
	return createBolt(fsys, path, func(tmp string) error {
		b, err := raftboltdb.New(boltOptions(tmp))
		if err != nil {
			return err
		}
		return b.Close()
	})
}

// openBoltLog checks the file's structure and every entry, and opens it. A file
// cut back to an earlier whole state by hand shows only against the clean-stop
// marker.
func openBoltLog(path string, readOnly bool) (*boltLog, error) {
	var next uint64
	err := checkBolt(path, func(bucket string, key, _ []byte) error {
		if bucket != boltLogBucket {
			return nil
		}
		if len(key) != 8 {
			return corrupt(path, "an entry's key has %d bytes, want 8", len(key))
		}
		index := binary.BigEndian.Uint64(key)
		if next != 0 && index != next {
			return corrupt(path, "entry %d is missing", next)
		}
		next = index + 1
		return nil
	})
	if err != nil {
		return nil, err
	}
	o := boltOptions(path)
	o.BoltOptions.ReadOnly = readOnly
	b, err := raftboltdb.New(o)
	if err != nil {
		return nil, ioError(path, err)
	}
	l := &boltLog{path: path, bolt: b}
	if err := l.checkAll(); err != nil {
		_ = b.Close()
		return nil, err
	}
	return l, nil
}

func (l *boltLog) checkAll() error {
	first, err := l.FirstIndex()
	if err != nil || first == 0 {
		return err
	}
	last, err := l.LastIndex()
	if err != nil {
		return err
	}
	for index := first; index <= last; index++ {
		var log raft.Log
		if err := l.GetLog(index, &log); err != nil {
			return ioError(l.path, err)
		}
	}
	return nil
}

// FirstIndex is the first entry's, or 0.
func (l *boltLog) FirstIndex() (uint64, error) {
	index, err := l.bolt.FirstIndex()
	return index, ioError(l.path, err)
}

// LastIndex is the last entry's, or 0.
func (l *boltLog) LastIndex() (uint64, error) {
	index, err := l.bolt.LastIndex()
	return index, ioError(l.path, err)
}

// GetLog reads an entry and checks it. raft.ErrLogNotFound is passed as it is.
func (l *boltLog) GetLog(index uint64, log *raft.Log) error {
	err := l.bolt.GetLog(index, log)
	if err == raft.ErrLogNotFound { //nolint:errorlint // raft compares it so.
		return err
	}
	if err != nil {
		return corrupt(l.path, "entry %d: %v", index, err)
	}
	if len(log.Extensions) != 4 || binary.LittleEndian.Uint32(log.Extensions) != logSum(log) {
		return corrupt(l.path, "entry %d does not match its checksum", index)
	}
	log.Extensions = nil
	return checkLog(func(uint64) string { return l.path }, index, log)
}

// StoreLog stores one entry durably.
func (l *boltLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// StoreLogs stores entries durably. raft still uses what it passed: copies get
// the checksum.
func (l *boltLog) StoreLogs(logs []*raft.Log) error {
	copies, sealed := make([]raft.Log, len(logs)), make([]*raft.Log, len(logs))
	for i, log := range logs {
		if len(log.Extensions) != 0 {
			return refusal(candor.ReasonInternal, l.path, "entry %d has extensions, whose place the checksum takes", log.Index)
		}
		copies[i] = *log
		copies[i].Extensions = binary.LittleEndian.AppendUint32(nil, logSum(log))
		sealed[i] = &copies[i]
	}
	return ioError(l.path, l.bolt.StoreLogs(sealed))
}

// DeleteRange removes entries.
func (l *boltLog) DeleteRange(low, high uint64) error {
	return ioError(l.path, l.bolt.DeleteRange(low, high))
}

func (l *boltLog) close() error     { return ioError(l.path, l.bolt.Close()) }
func (l *boltLog) lastFile() string { return l.path }

func logSum(log *raft.Log) uint32 {
	head := binary.LittleEndian.AppendUint64(nil, log.Index)
	head = binary.LittleEndian.AppendUint64(head, log.Term)
	head = append(head, byte(log.Type))
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, log.Data)
}
