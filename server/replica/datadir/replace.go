package datadir

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// Folders of a directory whose stores were replaced: those in use, and what was in
// use before.
const (
	storesPrefix   = raftName + "-"
	replacedPrefix = "replaced-"
)

// Replacement is what takes the place of a directory's log, vote and snapshot: a
// snapshot from which a new history begins.
type Replacement struct {
	// ID is a UUID, by which a repeat is known.
	ID        string
	HistoryID string
	// Term is raft's current term.
	Term     uint64
	Snapshot raft.SnapshotMeta
	// Notes are files that are put beside what is replaced, by name.
	Notes map[string][]byte
}

// Replace puts a replacement in the place of the stores, of a directory that was
// opened ReadOnly; close it afterwards. What it replaces is moved, whole, to the
// folder that Replaced names.
//
// Everything is made beside the stores in use, and made durable and read back, before
// the identity is replaced, which names the stores: up to that one rename nothing of
// the old is changed, and from then on nothing of it is used. An error after it, as
// after a crash, leaves the new in use; Replaced then tells, and Tidy ends it.
func (d *Dir) Replace(r Replacement, stream io.Reader) error {
	return candor.Wrap("replace the stores of "+d.path, d.replace(&r, stream))
}

func (d *Dir) replace(r *Replacement, stream io.Reader) error {
	if _, err := uuid.Parse(r.ID); err != nil || !d.options.ReadOnly || r.HistoryID == "" {
		return candor.Errorf(candor.ReasonInternal, "a replacement needs an ID, a history ID, and a directory that is open to be read only")
	}
	if err := d.keep(r); err != nil {
		return err
	}
	stores := filepath.Join(d.path, storesPrefix+r.ID)
	// What an attempt left that did not come to its end.
	if err := os.RemoveAll(stores); err != nil {
		return ioError(stores, err)
	}
	if err := d.build(stores, r, stream); err != nil {
		return err
	}
	if err := d.options.FS.SyncDir(d.path); err != nil {
		return ioError(d.path, err)
	}
	next := d.Identity()
	next.HistoryID, next.Stores = r.HistoryID, storesPrefix+r.ID
	if err := writeSealed(d.options.FS, filepath.Join(d.path, identityName), &next); err != nil {
		return err
	}
	return d.tidy(r.ID, next.stores())
}

// keep copies what Replace overwrites, and puts the notes beside it.
func (d *Dir) keep(r *Replacement) error {
	folder := d.Replaced(r.ID)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return ioError(folder, err)
	}
	kept := map[string][]byte{}
	for _, name := range []string{identityName, markerName, trustName} {
		data, err := readFile(d.options.FS, filepath.Join(d.path, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return ioError(filepath.Join(d.path, name), err)
		}
		kept[name] = data
	}
	maps.Copy(kept, r.Notes)
	for name, data := range kept {
		if err := writeAtomic(d.options.FS, filepath.Join(folder, name), data); err != nil {
			return err
		}
	}
	return ioError(d.path, d.options.FS.SyncDir(d.path))
}

// build makes the new stores.
func (d *Dir) build(stores string, r *Replacement, stream io.Reader) error {
	snapshots := &Snapshots{dir: filepath.Join(stores, snapshotsName), fs: d.options.FS}
	dirs := []string{snapshots.dir}
	if d.identity.LogStore == WAL {
		dirs = append(dirs, filepath.Join(stores, walName))
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return ioError(dir, err)
		}
	}
	if err := d.buildLog(stores); err != nil {
		return err
	}
	if err := buildStable(d.options.FS, filepath.Join(stores, stableName), r.Term); err != nil {
		return err
	}
	if err := buildSnapshot(snapshots, &r.Snapshot, stream); err != nil {
		return err
	}
	for _, dir := range append(dirs, stores) {
		if err := d.options.FS.SyncDir(dir); err != nil {
			return ioError(dir, err)
		}
	}
	return nil
}

func (d *Dir) buildLog(stores string) error {
	if d.identity.LogStore == BoltDB {
		return createBoltLog(d.options.FS, filepath.Join(stores, boltLogName))
	}
	return createWAL(d.options.FS, filepath.Join(stores, walName))
}

func buildStable(fsys FS, path string, term uint64) error {
	if err := createStable(fsys, path); err != nil {
		return err
	}
	s, err := openStable(path, false)
	if err != nil {
		return err
	}
	return errors.Join(s.SetUint64(keyCurrentTerm, term), s.close())
}

// buildSnapshot writes the snapshot and reads it back.
func buildSnapshot(snapshots *Snapshots, meta *raft.SnapshotMeta, stream io.Reader) error {
	sink, err := snapshots.Create(raft.SnapshotVersionMax, meta.Index, meta.Term, meta.Configuration, meta.ConfigurationIndex, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(sink, stream); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	if err := sink.Close(); err != nil {
		return err
	}
	_, written, err := snapshots.Open(sink.ID())
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, written)
	return errors.Join(err, written.Close())
}

// Replaced is the folder of what a replacement replaced.
func (d *Dir) Replaced(id string) string { return filepath.Join(d.path, replacedPrefix+id) }

// IsReplacement says that the stores in use are those of the replacement.
func (d *Dir) IsReplacement(id string) bool { return d.Identity().Stores == storesPrefix+id }

// Tidy ends a replacement that is in use already: the stores that it replaced are
// moved to where they are kept. It may be repeated.
func (d *Dir) Tidy(id string) error {
	if !d.IsReplacement(id) {
		return candor.Errorf(candor.ReasonInternal, "replacement %s of the stores of %s is not in use", id, d.path)
	}
	now := d.Identity()
	return d.tidy(id, now.stores())
}

func (d *Dir) tidy(id, inUse string) error {
	folder := d.Replaced(id)
	var before Identity
	path := filepath.Join(folder, identityName)
	if err := readSealed(d.options.FS, path, &before); err != nil {
		return ioError(path, err)
	}
	stores := before.stores()
	entries, err := d.options.FS.List(d.path)
	if err != nil {
		return ioError(d.path, err)
	}
	there := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == stores })
	if !there || stores == inUse || strings.ContainsRune(stores, filepath.Separator) {
		return nil
	}
	if err := d.options.FS.Rename(filepath.Join(d.path, stores), filepath.Join(folder, stores)); err != nil {
		return ioError(filepath.Join(d.path, stores), err)
	}
	return errors.Join(ioError(folder, d.options.FS.SyncDir(folder)), ioError(d.path, d.options.FS.SyncDir(d.path)))
}
