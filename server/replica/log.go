package replica

import (
	"errors"
	"sync/atomic"
	"syscall"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// log is the log store as raft sees it: cached, measured, watched, and never
// quietly failing.
type log struct {
	store raft.LogStore
	cache *logCache
	watch *inFlight
	track *configurationTracker
	// offer gets the entries that are about to be written, and the one before.
	offer func(before *raft.Log, logs []*raft.Log)
	// fatal is told of a failure after which the log is not to be trusted.
	fatal func(error)
	// full is told that the disk is, wrote how much was written to it.
	full  func()
	wrote func(bytes int64)

	// loading is set while raft starts: it reads every entry after the snapshot,
	// and so do the tracker and the measure.
	loading atomic.Bool
	// bytes since the last snapshot and the average entry, as upper bounds.
	bytes atomic.Int64
	total struct{ bytes, entries atomic.Int64 }
	// due gets a value when bytes passes dueAt.
	dueAt int64
	due   chan struct{}
}

var (
	_ raft.LogStore          = (*log)(nil)
	_ raft.MonotonicLogStore = (*log)(nil)
)

// IsMonotonic is the store's own answer.
func (l *log) IsMonotonic() bool {
	m, ok := l.store.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// FirstIndex is the store's.
func (l *log) FirstIndex() (uint64, error) { return l.store.FirstIndex() }

// LastIndex is the store's.
func (l *log) LastIndex() (uint64, error) { return l.store.LastIndex() }

// GetLog reads from the cache or the store. Damage ends the process: raft would
// go on without the entry, or panic.
func (l *log) GetLog(index uint64, out *raft.Log) error {
	if kept, ok := l.cache.get(index); ok {
		*out = *kept
		return nil
	}
	if err := l.store.GetLog(index, out); err != nil {
		if candor.ReasonOf(err) == candor.ReasonDataCorrupt {
			l.fatal(err)
		}
		return err
	}
	if l.loading.Load() {
		l.track.stored([]*raft.Log{out})
		l.measure([]*raft.Log{out})
	}
	return nil
}

// StoreLog stores one entry durably.
func (l *log) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs stores entries durably. After a failed write nobody knows what the
// disk holds, so that the process ends; a full disk alone is survived.
func (l *log) StoreLogs(logs []*raft.Log) error {
	if before, ok := l.cache.get(logs[0].Index - 1); ok {
		l.offer(before, logs)
	}
	done := l.watch.begin(writeLog)
	err := l.store.StoreLogs(logs)
	done()
	if err != nil {
		if isFull(err) {
			l.full()
		} else {
			l.fatal(diskFailed("write log", err))
		}
		return err
	}
	l.cache.put(logs)
	l.track.stored(logs)
	l.wrote(l.measure(logs))
	return nil
}

func (l *log) measure(logs []*raft.Log) (bytes int64) {
	for _, entry := range logs {
		bytes += logBytes(entry)
	}
	l.total.entries.Add(int64(len(logs)))
	l.total.bytes.Add(bytes)
	if l.bytes.Add(bytes) < l.dueAt {
		return bytes
	}
	select {
	case l.due <- struct{}{}:
	default:
	}
	return bytes
}

// entryBytes is the average entry's size, at least 1.
func (l *log) entryBytes() int64 {
	return max(1, l.total.bytes.Load()/max(1, l.total.entries.Load()))
}

// DeleteRange removes a prefix or a suffix.
func (l *log) DeleteRange(low, high uint64) error {
	done := l.watch.begin(cutLog)
	defer done()
	last, err := l.store.LastIndex()
	if err != nil {
		return err
	}
	if high >= last {
		// A prefix that the cache holds too stays right; a suffix would not.
		l.cache.drop()
	}
	if err := l.store.DeleteRange(low, high); err != nil {
		return err
	}
	l.track.deleted(low, high, last)
	return nil
}

// diskFailed is what ends a process whose write failed: damage that was found keeps its
// reason.
func diskFailed(doing string, err error) error {
	if candor.ReasonOf(err) == candor.ReasonDataCorrupt {
		return candor.Wrap(doing, err)
	}
	return &candor.Error{Reason: candor.ReasonDiskFailed, Message: doing + ": " + err.Error(), Err: err}
}

// isFull says that a write failed for want of room and left nothing behind.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || candor.ReasonOf(err) == candor.ReasonDiskPressure
}

// stableStore is watched as the log is: a vote that hangs stops the server too.
type stableStore struct {
	raft.StableStore
	watch *inFlight
	fatal func(error)
}

// Set stores durably, or ends the process: raft panics without a term.
func (s *stableStore) Set(key, value []byte) error {
	done := s.watch.begin(writeVote)
	err := s.StableStore.Set(key, value)
	done()
	if err != nil {
		s.fatal(diskFailed("write vote", err))
	}
	return err
}

// SetUint64 stores durably, or ends the process.
func (s *stableStore) SetUint64(key []byte, value uint64) error {
	done := s.watch.begin(writeVote)
	err := s.StableStore.SetUint64(key, value)
	done()
	if err != nil {
		s.fatal(diskFailed("write term", err))
	}
	return err
}
