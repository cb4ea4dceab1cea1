package datadir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"
)

const markerName = "clean-stop.json"

// marker is written last on a graceful stop and removed at the next start: its
// absence means that the last stop was a crash. It records where everything
// ended, so that a loss after a clean stop shows.
type marker struct {
	ServerID      string    `json:"serverID"`
	LastIndex     uint64    `json:"lastIndex"`
	LastTerm      uint64    `json:"lastTerm"`
	CurrentTerm   uint64    `json:"currentTerm"`
	SnapshotIndex uint64    `json:"snapshotIndex"`
	SnapshotTerm  uint64    `json:"snapshotTerm"`
	Stopped       time.Time `json:"stopped"`
	// Stores is as in the identity: a marker of other stores says nothing of these.
	Stores string `json:"stores,omitempty"`
	CRC32C string `json:"crc32c"`
}

func (m *marker) checksum() *string { return &m.CRC32C }

// readMarker returns nil when there is none.
func readMarker(fsys FS, dir string) (*marker, error) {
	path := filepath.Join(dir, markerName)
	m := new(marker)
	err := readSealed(fsys, path, m)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, ioError(path, err)
	}
	return m, nil
}

// check refuses a directory that holds less than at its clean stop.
func (m *marker) check(dir, stores string, found *marker, logFile string) error {
	path := filepath.Join(dir, markerName)
	switch {
	case m.ServerID != found.ServerID:
		return foreign(path, "is of server %s, the directory is of %s", m.ServerID, found.ServerID)
	case m.CurrentTerm != found.CurrentTerm:
		return corrupt(filepath.Join(stores, stableName), "term is %d; at the clean stop of %s it was %d",
			found.CurrentTerm, m.Stopped.Format(time.RFC3339), m.CurrentTerm)
	case m.SnapshotIndex != found.SnapshotIndex || m.SnapshotTerm != found.SnapshotTerm:
		return corrupt(filepath.Join(stores, snapshotsName), "newest snapshot is %d:%d; at the clean stop of %s it was %d:%d",
			found.SnapshotTerm, found.SnapshotIndex, m.Stopped.Format(time.RFC3339), m.SnapshotTerm, m.SnapshotIndex)
	case m.LastIndex != found.LastIndex || m.LastTerm != found.LastTerm:
		return corrupt(logFile, "log ends at %d:%d; at the clean stop of %s it ended at %d:%d",
			found.LastTerm, found.LastIndex, m.Stopped.Format(time.RFC3339), m.LastTerm, m.LastIndex)
	}
	return nil
}
