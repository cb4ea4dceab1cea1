package server

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server/link"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// What operators do while no server runs on the files.

// SnapshotInfo says what a snapshot file holds. The whole file was verified.
type SnapshotInfo struct {
	ClusterID   string       `json:"clusterID"`
	HistoryID   string       `json:"historyID"`
	Token       candor.Token `json:"rootToken"`
	ClusterTime time.Time    `json:"clusterTime"`
	Level       uint32       `json:"featureLevel"`
	Floor       uint64       `json:"floor"`
	Objects     uint64       `json:"objects"`
	Versions    uint64       `json:"versions"`
	// Digest is of the whole state, Contents of the live objects alone: a restore
	// changes the first and keeps the second.
	Digest   string `json:"digest"`
	Contents string `json:"contents"`
}

// InspectSnapshot verifies a snapshot file whole, as a restore does, and says
// what it holds. It takes the memory of the state.
func InspectSnapshot(path string) (SnapshotInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return SnapshotInfo{}, candor.Errorf(candor.ReasonNotFound, "snapshot %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	found, err := fsm.InspectSnapshot(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return SnapshotInfo{}, candor.Wrap(path, err)
	}
	return infoOf(&found), nil
}

// ScanSnapshot verifies checksums, counts and digest of a snapshot as it streams
// by, in little memory, and says what it holds.
func ScanSnapshot(r io.Reader) (SnapshotInfo, error) {
	found, err := fsm.ScanSnapshot(bufio.NewReaderSize(r, 1<<20))
	if err != nil {
		return SnapshotInfo{}, err
	}
	return infoOf(&found), nil
}

func infoOf(x *fsm.Inspection) SnapshotInfo {
	return SnapshotInfo{
		ClusterID: x.ClusterID, HistoryID: x.HistoryID, Token: x.Token, ClusterTime: time.Unix(0, x.ClusterTime).UTC(),
		Level: x.Level, Floor: x.Floor, Objects: x.Objects, Versions: x.Versions,
		Digest: hex.EncodeToString(x.Digest[:]), Contents: hex.EncodeToString(x.Contents[:]),
	}
}

// Restore makes a new cluster, of one server that others join, from a file.
type Restore struct {
	Snapshot string
	// Data must be empty or not exist.
	Data     string
	Name     string
	LogStore string
	// Raft is the address that the server will use for Raft.
	Raft   string
	Logger hclog.Logger
}

// revisionMargin lifts the new history above anything the old one may have
// acknowledged after the snapshot.
const revisionMargin = 1_000_000_000

// RestoreSnapshot seeds a data directory. The file is verified whole first; a
// damaged one is refused and leaves nothing behind.
func RestoreSnapshot(r Restore) (_ SnapshotInfo, err error) {
	if _, err := InspectSnapshot(r.Snapshot); err != nil {
		return SnapshotInfo{}, err
	}
	dir, err := datadir.Open(r.Data, datadir.Options{Name: r.Name, LogStore: datadir.LogStore(r.LogStore), Logger: r.Logger})
	if err != nil {
		return SnapshotInfo{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, dir.Close())
		}
	}()
	if !dir.Empty() || dir.Identity().ClusterID != "" {
		return SnapshotInfo{}, candor.Errorf(candor.ReasonDataForeign, "%s belongs to a cluster already: restore into an empty directory", r.Data)
	}
	to := fsm.Rewrite{ClusterID: uuid.NewString(), HistoryID: uuid.NewString(), RaiseRevision: revisionMargin, Reached: time.Now().UnixNano()}
	if err := dir.SetCluster(to.ClusterID, to.HistoryID); err != nil {
		return SnapshotInfo{}, err
	}
	restored, err := seed(dir, r, to)
	if err != nil {
		return SnapshotInfo{}, err
	}
	return infoOf(&restored), dir.CloseClean()
}

func seed(dir *datadir.Dir, r Restore, to fsm.Rewrite) (fsm.Inspection, error) {
	f, err := os.Open(r.Snapshot)
	if err != nil {
		return fsm.Inspection{}, candor.Wrap("restore", err)
	}
	defer func() { _ = f.Close() }()
	id := dir.Identity().ServerID
	meta := raft.SnapshotMeta{
		Index: 1, Term: 1, ConfigurationIndex: 1,
		Configuration: raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: raft.ServerID(id), Address: link.Address(id, r.Raft)}}},
	}
	to.Servers = membersOf(meta.Configuration)
	return streamed(
		func(w io.Writer) (fsm.Inspection, error) {
			return fsm.RewriteSnapshot(bufio.NewReaderSize(f, 1<<20), w, to)
		},
		func(r io.Reader) error { return dir.Seed(meta, r) },
	)
}

// ServerID is that of the server whose data directory this is. A folder that is
// empty, or does not exist, becomes one, of a server of that name, with that log
// store (the default one where it is empty).
func ServerID(data, name, logStore string) (id string, err error) { //nolint:revive // the ID of a Server is another word for it
	if err := candor.CheckName("name", name); err != nil {
		return "", err
	}
	dir, err := datadir.Open(data, datadir.Options{Name: name, LogStore: datadir.LogStore(logStore), Logger: hclog.NewNullLogger()})
	if err != nil {
		return "", err
	}
	return dir.Identity().ServerID, dir.Close()
}
