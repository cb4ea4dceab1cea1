package datadir

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

const (
	raftName = "raft"
	walName  = "wal"
)

// Dir is an open directory. It owns the stores that it hands out: they are
// closed with it, after raft has stopped. Methods may be called concurrently.
type Dir struct {
	path    string
	options *Options
	lock    *lock

	mu       sync.Mutex
	identity Identity
	closed   bool

	stable    *stable
	log       logStore
	snapshots *Snapshots
	recovery  Recovery
}

// logStore is what both kinds of log have.
type logStore interface {
	raft.LogStore
	close() error
	// lastFile names the file that the log ends in.
	lastFile() string
}

// Open takes the directory at path, making it if there is none, and checks
// everything in it before it returns. Reading the log is the most of that:
// about 0.2 s for 128 MiB that the system has cached.
func Open(path string, options Options) (*Dir, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, ioError(path, err)
		}
	}
	l, err := acquire(path)
	if err != nil {
		return nil, candor.Wrap("open data directory", err)
	}
	d := &Dir{path: path, options: o, lock: l}
	if err := d.open(); err != nil {
		return nil, candor.Wrap("open data directory", errors.Join(err, d.release()))
	}
	return d, nil
}

func (d *Dir) open() error {
	var err error
	if d.identity, err = loadIdentity(d.path, d.options); err != nil {
		return err
	}
	before, err := readMarker(d.options.FS, d.path)
	if err != nil {
		return err
	}
	if before != nil && before.Stores != d.identity.Stores {
		before = nil // it is of the stores that these replaced
	}
	d.snapshots = &Snapshots{dir: d.file(snapshotsName), fs: d.options.FS}
	if !d.options.ReadOnly {
		if err := d.create(); err != nil {
			return err
		}
	}
	if d.stable, err = openStable(d.file(stableName), d.options.ReadOnly); err != nil {
		return err
	}
	if err := d.openLog(); err != nil {
		return err
	}
	if err := d.reconcile(); err != nil {
		return err
	}
	found, err := d.position()
	if err != nil {
		return err
	}
	if before != nil {
		if err := before.check(d.path, d.file(""), found, d.log.lastFile()); err != nil {
			return err
		}
	}
	if d.options.ReadOnly {
		d.recovery.conclude(before != nil, found, "")
		return nil
	}
	// From here on the directory is in use, and only a clean stop says otherwise.
	if err := removeDurably(d.options.FS, filepath.Join(d.path, markerName)); err != nil {
		return err
	}
	d.recovery.conclude(before != nil, found, ensureBallast(d.options.FS, d.path, d.options.BallastBytes))
	return nil
}

// create makes what a new directory lacks. The stable store comes last: with it
// the directory is complete, and whatever is missing later is damage.
func (d *Dir) create() error {
	complete, err := exists(d.options.FS, d.file(stableName))
	if err != nil {
		return err
	}
	if complete {
		return d.snapshots.removeUnfinished()
	}
	dirs := []string{d.file(""), d.file(snapshotsName)}
	if d.identity.LogStore == WAL {
		dirs = append(dirs, d.file(walName))
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return ioError(dir, err)
		}
	}
	if d.identity.LogStore == BoltDB {
		if err := createBoltLog(d.options.FS, d.file(boltLogName)); err != nil {
			return err
		}
	} else if err := createWAL(d.options.FS, d.file(walName)); err != nil {
		return err
	}
	if err := createStable(d.options.FS, d.file(stableName)); err != nil {
		return err
	}
	for _, dir := range append(dirs, d.path) {
		if err := d.options.FS.SyncDir(dir); err != nil {
			return ioError(dir, err)
		}
	}
	return nil
}

func (d *Dir) openLog() error {
	if d.identity.LogStore == BoltDB {
		log, err := openBoltLog(d.file(boltLogName), d.options.ReadOnly)
		if err != nil {
			return err
		}
		d.log = log
		return nil
	}
	log, repaired, err := openWAL(d.file(walName), d.options, d.options.Logger.Named("wal"))
	if err != nil {
		return err
	}
	d.log, d.recovery.Repaired = log, repaired
	return nil
}

// file names a path in the folder of the stores.
func (d *Dir) file(name string) string { return filepath.Join(d.path, d.identity.stores(), name) }

// Path is where the directory is.
func (d *Dir) Path() string { return d.path }

// Identity says whose directory it is.
func (d *Dir) Identity() Identity {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.identity
}

// SetCluster records the cluster that the server has become part of. Once
// recorded it cannot change: then the error is DATA_FOREIGN.
func (d *Dir) SetCluster(clusterID, historyID string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	path := filepath.Join(d.path, identityName)
	if err := d.identity.checkCluster(path, clusterID, historyID); err != nil || d.options.ReadOnly {
		return err
	}
	next := d.identity
	if clusterID != "" {
		next.ClusterID = clusterID
	}
	if historyID != "" {
		next.HistoryID = historyID
	}
	if next == d.identity {
		return nil
	}
	if err := writeSealed(d.options.FS, path, &next); err != nil {
		return err
	}
	d.identity = next
	return nil
}

// Log is the log store.
func (d *Dir) Log() raft.LogStore { return d.log }

// Stable is the store of term and vote.
func (d *Dir) Stable() raft.StableStore { return d.stable }

// Snapshots is the snapshot store.
func (d *Dir) Snapshots() *Snapshots { return d.snapshots }

// Recovery is what the last stop left and what was done about it.
func (d *Dir) Recovery() Recovery { return d.recovery }

// Empty says that no log, vote or snapshot was ever kept here.
func (d *Dir) Empty() bool { return d.recovery.empty() }

// Free is the room left on the directory's disk, in bytes.
func (d *Dir) Free() (free, total uint64, err error) {
	free, total, err = d.options.Disk.Free(d.path)
	return free, total, ioError(d.path, err)
}

// LogFile names the file that the log ends in, for messages.
func (d *Dir) LogFile() string { return d.log.lastFile() }

// SetAside gives up a snapshot that turned out unusable, where the log holds
// everything from the first entry on and can rebuild the state without it;
// otherwise it returns cause.
func (d *Dir) SetAside(id string, cause error) error {
	first, err := d.log.FirstIndex()
	if err != nil {
		return err
	}
	if first != 1 || d.options.ReadOnly {
		return cause
	}
	if err := d.snapshots.SetAside(id); err != nil {
		return err
	}
	d.recovery.rebuild(cause)
	return nil
}

// Seed gives an empty directory a snapshot to start from, as an offline restore
// does. The configuration in meta is the new cluster's.
func (d *Dir) Seed(meta raft.SnapshotMeta, stream io.Reader) error {
	if !d.Empty() || d.options.ReadOnly {
		return foreign(d.path, "holds a log or a snapshot: choose an empty directory to restore into")
	}
	sink, err := d.snapshots.Create(raft.SnapshotVersionMax, meta.Index, meta.Term, meta.Configuration, meta.ConfigurationIndex, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(sink, stream); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	if err := d.stable.SetUint64(keyCurrentTerm, meta.Term); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	if err := sink.Close(); err != nil {
		return err
	}
	d.recovery.SnapshotIndex, d.recovery.SnapshotTerm = meta.Index, meta.Term
	return nil
}

// Close gives the directory up as a crash would: the next start finds no
// marker. It may be called more than once.
func (d *Dir) Close() error { return candor.Wrap("close data directory", d.release()) }

// CloseClean gives it up and writes the marker last. Raft must have stopped.
func (d *Dir) CloseClean() error {
	d.mu.Lock()
	closed := d.closed
	d.mu.Unlock()
	if closed || d.options.ReadOnly {
		return d.Close()
	}
	end, err := d.position()
	if err != nil {
		return candor.Wrap("close data directory", errors.Join(err, d.release()))
	}
	end.Stopped = d.options.Now().UTC()
	err = d.closeStores()
	if err == nil {
		err = writeSealed(d.options.FS, filepath.Join(d.path, markerName), end)
	}
	return candor.Wrap("close data directory", errors.Join(err, d.release()))
}

func (d *Dir) release() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return errors.Join(d.closeStores(), d.lock.release())
}

func (d *Dir) closeStores() error {
	var errs []error
	if d.log != nil {
		errs = append(errs, d.log.close())
	}
	if d.stable != nil {
		errs = append(errs, d.stable.close())
	}
	d.log, d.stable = nil, nil
	return errors.Join(errs...)
}
