package datadir

import (
	"fmt"
	"hash/crc32"
	"os"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// syncEvery bounds how much of a snapshot waits to be written: a large backlog
// would make the log's next sync wait for it, on a disk that they share.
const syncEvery = 8 << 20

// sink writes one snapshot. Close makes it exist whole; Cancel, or a crash,
// leaves nothing of it. One goroutine uses it.
type sink struct {
	store *Snapshots
	id    string
	path  string
	tmp   string
	file  File

	length   int64
	sum      uint32
	unsynced int
	done     bool
	failed   error
}

var _ raft.SnapshotSink = (*sink)(nil)

func newSink(store *Snapshots, id string, header *snapshotHeader) (*sink, error) {
	head, err := encodeHeader(header)
	if err != nil {
		return nil, candor.Wrap("encode snapshot header", err)
	}
	s := &sink{store: store, id: id, path: store.Path(id)}
	// A snapshot taken and one installed may be under way at once.
	s.tmp = fmt.Sprintf("%s.%d%s", s.path, store.begun.Add(1), tmpSuffix)
	s.file, err = store.fs.Open(s.tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, ioError(s.path, err)
	}
	if _, err := s.file.Write(head); err != nil {
		s.failed = err
		return nil, s.abandon()
	}
	return s, nil
}

// ID names the snapshot.
func (s *sink) ID() string { return s.id }

// Write appends to the stream.
func (s *sink) Write(p []byte) (int, error) {
	if s.failed != nil {
		return 0, ioError(s.path, s.failed)
	}
	n, err := s.file.Write(p)
	s.sum = crc32.Update(s.sum, castagnoli, p[:n])
	s.length += int64(n)
	s.unsynced += n
	if err == nil && s.unsynced >= syncEvery {
		s.unsynced = 0
		err = s.file.Sync()
	}
	s.failed = err
	return n, ioError(s.path, err)
}

// Close makes the snapshot durable and removes older ones.
func (s *sink) Close() error {
	if s.done {
		return nil
	}
	if s.failed == nil {
		_, s.failed = s.file.Write(encodeTrailer(s.length, s.sum))
	}
	if s.failed == nil {
		s.failed = s.file.Sync()
	}
	if s.failed != nil {
		return s.abandon()
	}
	s.done = true
	if err := s.file.Close(); err != nil {
		return ioError(s.path, err)
	}
	if err := s.store.fs.Rename(s.tmp, s.path); err != nil {
		return ioError(s.path, err)
	}
	if err := s.store.fs.SyncDir(s.store.dir); err != nil {
		return ioError(s.path, err)
	}
	return s.store.reap(s.id)
}

// Cancel removes what was written.
func (s *sink) Cancel() error {
	if s.done {
		return nil
	}
	return s.abandon()
}

func (s *sink) abandon() error {
	s.done = true
	closed := s.file.Close()
	removed := s.store.fs.Remove(s.tmp)
	for _, err := range []error{s.failed, closed, removed} {
		if err != nil {
			return ioError(s.path, err)
		}
	}
	return nil
}
