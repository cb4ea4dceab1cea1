package datadir

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

	"github.com/candor-plane/candor"
)

const stableName = "stable.db"

var (
	stableKey = []byte("stable")
	// keyCurrentTerm is raft's own name for the term (raft.go).
	keyCurrentTerm = []byte("CurrentTerm")
)

// stable keeps raft's term and vote in a bbolt file as one checksummed record,
// so that neither can be lost, aged or altered without the other and unseen: a
// server that forgot its vote could give it twice.
type stable struct {
	path string
	bolt *raftboltdb.BoltStore

	mu     sync.Mutex
	values map[string][]byte
}

var _ raft.StableStore = (*stable)(nil)

func boltOptions(path string) raftboltdb.Options {
	return raftboltdb.Options{
		Path: path,
		BoltOptions: &bbolt.Options{
			NoFreelistSync: true,
			FreelistType:   bbolt.FreelistMapType,
			// The directory's lock came first; this one is free at once.
			Timeout: time.Second,
		},
		MsgpackUseNewTimeFormat: true,
	}
}

// createStable makes the file of a new directory.
func createStable(fsys FS, path string) error {
	return createBolt(fsys, path, func(tmp string) error {
		b, err := raftboltdb.New(boltOptions(tmp))
		if err != nil {
			return err
		}
		return errors.Join(b.Set(stableKey, encodeValues(nil)), b.Close())
	})
}

// openStable opens the file of a directory that has one.
//
// A read-only one does without the file once it is read.
func openStable(path string, readOnly bool) (*stable, error) {
	var record []byte
	err := checkBolt(path, func(_ string, key, value []byte) error {
		if string(key) == string(stableKey) {
			record = slices.Clone(value)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if record == nil {
		return nil, corrupt(path, "term and vote are missing")
	}
	values, err := decodeValues(record)
	if err != nil {
		return nil, corrupt(path, "term and vote: %v", err)
	}
	if readOnly {
		return &stable{path: path, values: values}, nil
	}
	b, err := raftboltdb.New(boltOptions(path))
	if err != nil {
		return nil, ioError(path, err)
	}
	return &stable{path: path, bolt: b, values: values}, nil
}

// Set stores a value durably.
func (s *stable) Set(key, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bolt == nil {
		return refusal(candor.ReasonInternal, s.path, "opened to be read only")
	}
	next := maps.Clone(s.values)
	next[string(key)] = slices.Clone(value)
	if err := s.bolt.Set(stableKey, encodeValues(next)); err != nil {
		return ioError(s.path, err)
	}
	s.values = next
	return nil
}

// Get returns ErrKeyNotFound of raft-boltdb, whose text raft looks for.
func (s *stable) Get(key []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[string(key)]
	if !ok {
		return nil, raftboltdb.ErrKeyNotFound
	}
	return slices.Clone(value), nil
}

// SetUint64 stores a number durably.
func (s *stable) SetUint64(key []byte, value uint64) error {
	return s.Set(key, binary.BigEndian.AppendUint64(nil, value))
}

// GetUint64 reads what SetUint64 stored.
func (s *stable) GetUint64(key []byte) (uint64, error) {
	value, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		return 0, corrupt(s.path, "%s has %d bytes, want 8", key, len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}

func (s *stable) close() error {
	if s.bolt == nil {
		return nil
	}
	return ioError(s.path, s.bolt.Close())
}

// term is raft's current term, 0 before the first.
func (s *stable) term() (uint64, error) {
	term, err := s.GetUint64(keyCurrentTerm)
	if errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return 0, nil
	}
	return term, err
}

// encodeValues is counted, length-prefixed pairs in order of keys and their
// CRC-32C.
func encodeValues(values map[string][]byte) []byte {
	b := binary.AppendUvarint(nil, uint64(len(values)))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		b = binary.AppendUvarint(b, uint64(len(key)))
		b = append(b, key...)
		b = binary.AppendUvarint(b, uint64(len(values[key])))
		b = append(b, values[key]...)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeValues(b []byte) (map[string][]byte, error) {
	if len(b) < 5 || binary.LittleEndian.Uint32(b[len(b)-4:]) != crc32.Checksum(b[:len(b)-4], castagnoli) {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "the record does not match its checksum")
	}
	b = b[:len(b)-4]
	next := func() []byte {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			b = nil
			return nil
		}
		part := b[n : n+int(size)]
		b = b[n+int(size):]
		return part
	}
	count, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "the record passes its checksum but does not decode")
	}
	b = b[n:]
	values := make(map[string][]byte, count)
	for range count {
		key := next()
		values[string(key)] = slices.Clone(next())
	}
	return values, nil
}
