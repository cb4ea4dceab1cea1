package datadir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"
)

const trustName = "trust.json"

// Trust is why a server must not rely on its own view. It outlives a restart,
// since a view that went wrong may come back wrong from the same files.
type Trust struct {
	// Operator says that an operator asked for it.
	Operator bool `json:"operator,omitempty"`
	// Quarantine is set when a majority had another digest at its index.
	Quarantine *Quarantine `json:"quarantine,omitempty"`
	// Stores is set and read by the directory: a word about other stores, which these
	// replaced, is none about these.
	Stores string `json:"stores,omitempty"`
	CRC32C string `json:"crc32c"`
}

// Quarantine is what was found. Digests are in hexadecimal.
type Quarantine struct {
	Index    uint64    `json:"index"`
	Digest   string    `json:"digest"`
	Majority string    `json:"majority"`
	Since    time.Time `json:"since"`
}

func (t *Trust) checksum() *string { return &t.CRC32C }

// Trust reads what SetTrust wrote; the zero where that was nothing.
func (d *Dir) Trust() (Trust, error) {
	path := filepath.Join(d.path, trustName)
	var t Trust
	err := readSealed(d.options.FS, path, &t)
	if errors.Is(err, fs.ErrNotExist) || err == nil && t.Stores != d.Identity().Stores {
		return Trust{}, nil
	}
	t.Stores = ""
	return t, ioError(path, err)
}

// SetTrust writes durably.
func (d *Dir) SetTrust(t Trust) error {
	path := filepath.Join(d.path, trustName)
	if !t.Operator && t.Quarantine == nil {
		return removeDurably(d.options.FS, path)
	}
	t.Stores = d.Identity().Stores
	return writeSealed(d.options.FS, path, &t)
}
