package datadir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/candor-plane/candor"
)

// LogStore is the kind of log store a directory was born with. Changing it is
// an offline migration, never a flag.
type LogStore string

// The log stores.
const (
	WAL    LogStore = "wal"
	BoltDB LogStore = "boltdb"
)

const (
	identityName   = "identity.json"
	identityFormat = 1
)

// Identity says whose directory this is. ServerID is born with the directory
// and dies with it: a server on a wiped disk is a new member and cannot vote
// under the old one's name.
type Identity struct {
	Format   int    `json:"format"`
	ServerID string `json:"serverID"`
	Name     string `json:"name"`
	// ClusterID and HistoryID are empty until the server first belongs to a
	// cluster. The first never changes afterwards, the second by Replace alone.
	ClusterID string   `json:"clusterID,omitempty"`
	HistoryID string   `json:"historyID,omitempty"`
	LogStore  LogStore `json:"logStore"`
	// Stores is the folder of log, vote and snapshot, where another than the first
	// took its place (see Replace).
	Stores  string    `json:"stores,omitempty"`
	Created time.Time `json:"created"`
	CRC32C  string    `json:"crc32c"`
}

func (i *Identity) checksum() *string { return &i.CRC32C }

func (i *Identity) stores() string {
	if i.Stores == "" {
		return raftName
	}
	return i.Stores
}

// loadIdentity reads the directory's identity, or gives an empty directory one.
func loadIdentity(dir string, o *Options) (Identity, error) {
	path := filepath.Join(dir, identityName)
	var id Identity
	err := readSealed(o.FS, path, &id)
	if errors.Is(err, fs.ErrNotExist) && o.ReadOnly {
		return id, refusal(candor.ReasonNotFound, path, "missing: no server's data directory")
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err := checkUnused(dir, o.FS); err != nil {
			return id, err
		}
		id, err = newIdentity(o)
		if err != nil {
			return id, err
		}
		return id, writeSealed(o.FS, path, &id)
	}
	if err != nil {
		return id, ioError(path, err)
	}
	return id, id.check(path, o)
}

func newIdentity(o *Options) (Identity, error) {
	id := Identity{
		Format: identityFormat, ServerID: o.ServerID, Name: o.Name,
		ClusterID: o.ClusterID, HistoryID: o.HistoryID, LogStore: o.LogStore,
		Created: o.Now().UTC().Truncate(time.Second),
	}
	if id.LogStore == "" {
		id.LogStore = WAL
	}
	if id.ServerID == "" {
		born, err := uuid.NewRandomFromReader(o.Rand)
		if err != nil {
			return id, candor.Wrap("new server id", err)
		}
		id.ServerID = born.String()
	}
	return id, nil
}

// check refuses a directory that is not the one the caller named. What the
// caller left empty is taken from the directory.
func (i *Identity) check(path string, o *Options) error {
	if i.Format != identityFormat {
		return foreign(path, "format %d; this build reads %d", i.Format, identityFormat)
	}
	if i.LogStore != WAL && i.LogStore != BoltDB {
		return foreign(path, "log store %q; this build knows %q and %q", i.LogStore, WAL, BoltDB)
	}
	if o.ServerID != "" && o.ServerID != i.ServerID {
		return foreign(path, "the directory is of server %s, this is %s: choose that server's own directory", i.ServerID, o.ServerID)
	}
	if o.Name != "" && o.Name != i.Name {
		return foreign(path, "the directory is of the server named %q, this is %q: choose that server's own directory", i.Name, o.Name)
	}
	if o.LogStore != "" && o.LogStore != i.LogStore {
		return foreign(path, "the directory's log store is %q, not %q: it is chosen when the directory is made", i.LogStore, o.LogStore)
	}
	return i.checkCluster(path, o.ClusterID, o.HistoryID)
}

func (i *Identity) checkCluster(path, clusterID, historyID string) error {
	if clusterID != "" && i.ClusterID != "" && clusterID != i.ClusterID {
		return foreign(path, "the directory is of cluster %s, not %s: choose an empty directory to join another cluster", i.ClusterID, clusterID)
	}
	if historyID != "" && i.HistoryID != "" && historyID != i.HistoryID {
		return foreign(path, "the directory is of history %s, not %s: choose an empty directory to join another history", i.HistoryID, historyID)
	}
	return nil
}

// checkUnused refuses to be born among somebody's files.
func checkUnused(dir string, fsys FS) error {
	entries, err := fsys.List(dir)
	if err != nil {
		return ioError(dir, err)
	}
	stranger := ""
	for _, e := range entries {
		switch name := e.Name(); {
		case name == lockName, name == "lost+found", strings.HasSuffix(name, tmpSuffix):
		case name == raftName, name == markerName, name == ballastName, strings.HasPrefix(name, storesPrefix), strings.HasPrefix(name, replacedPrefix):
			return corrupt(filepath.Join(dir, identityName), "missing, beside %s of a server: restore it, or choose an empty directory", name)
		default:
			stranger = name
		}
	}
	if stranger != "" {
		return foreign(dir, "holds %q and no %s: choose an empty directory", stranger, identityName)
	}
	return nil
}
