package datadir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/candor-plane/candor"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// tmpSuffix marks files that were being written. Those found at start belong
// to a write that nobody was promised.
const tmpSuffix = ".tmp"

// checksummed is a document that carries its own checksum.
type checksummed interface{ checksum() *string }

// encodeSealed is the document's one byte form: indented JSON whose checksum
// field is the CRC-32C of the same JSON with that field empty.
func encodeSealed(doc checksummed) ([]byte, error) {
	*doc.checksum() = ""
	bare, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, candor.Wrap("encode", err)
	}
	*doc.checksum() = fmt.Sprintf("%08x", crc32.Checksum(bare, castagnoli))
	sealed, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, candor.Wrap("encode", err)
	}
	return append(sealed, '\n'), nil
}

// readSealed reads the document at path. Any byte that differs from what
// encodeSealed would write is damage. The error is fs.ErrNotExist's when there
// is no file.
func readSealed(fsys FS, path string, doc checksummed) error {
	data, err := readFile(fsys, path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(doc); err != nil {
		return corrupt(path, "not the JSON that was written (%v)", err)
	}
	want, err := encodeSealed(doc)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, want) {
		return corrupt(path, "contents do not match the checksum")
	}
	return nil
}

func writeSealed(fsys FS, path string, doc checksummed) error {
	data, err := encodeSealed(doc)
	if err != nil {
		return err
	}
	return writeAtomic(fsys, path, data)
}

// writeAtomic replaces path: after a crash it holds the old bytes or the new.
func writeAtomic(fsys FS, path string, data []byte) error {
	tmp := path + tmpSuffix
	f, err := fsys.Open(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return ioError(path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = fsys.Rename(tmp, path)
	}
	if err == nil {
		err = fsys.SyncDir(filepath.Dir(path))
	}
	return ioError(path, err)
}

// removeDurably removes path; that it is gone already is fine.
func removeDurably(fsys FS, path string) error {
	if err := fsys.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return ioError(path, err)
	}
	return ioError(path, fsys.SyncDir(filepath.Dir(path)))
}

func readFile(fsys FS, path string) ([]byte, error) {
	f, err := fsys.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return data, ioError(path, err)
}

func exists(fsys FS, path string) (bool, error) {
	f, err := fsys.Open(path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, ioError(path, err)
	}
	return true, ioError(path, f.Close())
}
