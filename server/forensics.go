package server

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// What is left of a node: its log and its snapshots, as they are on the disk.

// Remains are a data directory that no server runs on. Nothing in it is changed: what a
// start would repair stays. Close gives it up.
type Remains struct {
	dir *datadir.Dir
}

// LogRecord is one entry as raft keeps it.
type LogRecord struct {
	Index, Term uint64
	// Type is command, configuration, or another word for an entry that changes no state.
	Type string
	// Data are a command's; Members a configuration's.
	Data    []byte
	Members []LogMember
}

// LogMember is a member that a configuration makes.
type LogMember struct {
	ServerID, Address string
	Voter             bool
}

// SnapshotFile is a snapshot that a directory holds.
type SnapshotFile struct {
	ID          string
	Index, Term uint64
	Bytes       int64
}

// The types of entries that change the state.
const (
	logCommand       = "command"
	logConfiguration = "configuration"
)

// identityFile is what makes a folder a data directory.
const identityFile = "identity.json"

// OpenRemains checks everything in a data directory, as a start does. The error is
// NOT_FOUND where there is none and DATA_LOCKED where a server runs on it.
func OpenRemains(data string, logger hclog.Logger) (*Remains, error) {
	// Opening takes a lock, which makes a file: not where there is no data directory.
	if _, err := os.Stat(filepath.Join(data, identityFile)); err != nil {
		return nil, candor.Errorf(candor.ReasonNotFound, "%s is no server's data directory: %w", data, err)
	}
	dir, err := datadir.Open(data, datadir.Options{ReadOnly: true, Logger: logger})
	if err != nil {
		return nil, err
	}
	return &Remains{dir: dir}, nil
}

// Identity is whose the directory is.
func (r *Remains) Identity() (clusterID, serverID, name string) {
	id := r.dir.Identity()
	return id.ClusterID, id.ServerID, id.Name
}

// Bounds are the first and the last entry of the log, 0 and 0 for none. Which of them
// were committed a directory does not say.
func (r *Remains) Bounds() (first, last uint64, err error) { return boundsOf(r.dir.Log()) }

// Record reads an entry and checks it against its checksum.
func (r *Remains) Record(index uint64) (LogRecord, error) { return logRecordOf(r.dir.Log(), index) }

// Snapshots are those that the directory holds, newest first.
func (r *Remains) Snapshots() ([]SnapshotFile, error) { return snapshotsOf(r.dir.Snapshots()) }

// Snapshot opens the contents of one.
func (r *Remains) Snapshot(id string) (io.ReadCloser, error) {
	_, contents, err := r.dir.Snapshots().Open(id)
	return contents, err
}

// Close gives the directory up.
func (r *Remains) Close() error { return r.dir.Close() }

func boundsOf(log raft.LogStore) (first, last uint64, err error) {
	if first, err = log.FirstIndex(); err != nil {
		return 0, 0, candor.Wrap("read log", err)
	}
	last, err = log.LastIndex()
	return first, last, candor.Wrap("read log", err)
}

func logRecordOf(log raft.LogStore, index uint64) (LogRecord, error) {
	var entry raft.Log
	err := log.GetLog(index, &entry)
	if errors.Is(err, raft.ErrLogNotFound) {
		return LogRecord{}, candor.Errorf(candor.ReasonUnavailable, "the log does not hold entry %d any more", index)
	}
	if err != nil {
		return LogRecord{}, candor.Wrap("read log", err)
	}
	out := LogRecord{Index: entry.Index, Term: entry.Term}
	switch entry.Type {
	case raft.LogCommand:
		out.Type, out.Data = logCommand, entry.Data
	case raft.LogConfiguration:
		out.Type = logConfiguration
		for _, s := range raft.DecodeConfiguration(entry.Data).Servers {
			out.Members = append(out.Members, LogMember{ServerID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter})
		}
	case raft.LogNoop:
		out.Type = "noop"
	case raft.LogBarrier:
		out.Type = "barrier"
	default:
		out.Type = entry.Type.String()
	}
	return out, nil
}

func snapshotsOf(snapshots *datadir.Snapshots) ([]SnapshotFile, error) {
	metas, err := snapshots.List()
	if err != nil {
		return nil, candor.Wrap("list snapshots", err)
	}
	var out []SnapshotFile
	for _, m := range metas {
		out = append(out, SnapshotFile{ID: m.ID, Index: m.Index, Term: m.Term, Bytes: m.Size})
	}
	return out, nil
}

// journal is what this server's disk holds, read beside raft. The stores are taken once:
// after the directory is closed they refuse by themselves.
type journal struct {
	server    *Server
	log       raft.LogStore
	snapshots *datadir.Snapshots
}

func (s *Server) journal() *journal {
	j := &journal{server: s}
	if s.dir != nil {
		j.log, j.snapshots = s.dir.Log(), s.dir.Snapshots()
	}
	return j
}

// Extent is what there is.
func (j *journal) Extent() (*candorv1.LogExtent, error) {
	if j.log == nil {
		return nil, candor.Errorf(candor.ReasonUnavailable, "this server keeps its log in memory")
	}
	first, last, err := boundsOf(j.log)
	if err != nil {
		return nil, err
	}
	snapshots, err := snapshotsOf(j.snapshots)
	if err != nil {
		return nil, err
	}
	s := j.server
	out := &candorv1.LogExtent{ClusterId: s.clusterID, NodeId: s.serverID, NodeName: s.config.Name, BootId: s.bootID, FirstIndex: first, LastIndex: last}
	for _, x := range snapshots {
		out.Snapshots = append(out.Snapshots, &candorv1.LogSnapshot{Id: x.ID, Index: x.Index, Term: x.Term, Bytes: uint64(x.Bytes)})
	}
	return out, nil
}

// Record is one entry.
func (j *journal) Record(index uint64) (*candorv1.LogRecord, error) {
	r, err := logRecordOf(j.log, index)
	if err != nil {
		return nil, err
	}
	out := &candorv1.LogRecord{Index: r.Index, Term: r.Term, Type: r.Type, Data: r.Data}
	for _, m := range r.Members {
		out.Members = append(out.Members, &candorv1.LogMember{ServerId: m.ServerID, Address: m.Address, Voter: m.Voter})
	}
	return out, nil
}

// Snapshot opens one that the list names: an ID is no path.
func (j *journal) Snapshot(id string) (io.ReadCloser, error) {
	snapshots, err := snapshotsOf(j.snapshots)
	if err != nil {
		return nil, err
	}
	for _, x := range snapshots {
		if x.ID != id {
			continue
		}
		_, contents, err := j.snapshots.Open(id)
		return contents, err
	}
	return nil, candor.Errorf(candor.ReasonNotFound, "this server keeps no snapshot %q", id)
}
