package bundle

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/candor-plane/candor"
)

// Writer makes a bundle. It belongs to one goroutine.
type Writer struct {
	path  string
	file  *os.File
	zip   *zip.Writer
	parts []Part
}

// Create begins a bundle, which appears at path when Close has succeeded, and not before.
// A file that is there already is refused with ALREADY_EXISTS.
func Create(path string) (*Writer, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, &candor.Error{Reason: candor.ReasonAlreadyExists, Subject: path, Message: path + " is there already"}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".partial-*")
	if err != nil {
		return nil, candor.Wrap("make bundle", err)
	}
	return &Writer{path: path, file: f, zip: zip.NewWriter(f)}, nil
}

// Add writes one part. An error of write is kept with the part, which ends there, and is
// returned.
func (w *Writer) Add(path, what string, write func(io.Writer) error) error {
	for _, p := range w.parts {
		if p.Path == path {
			return candor.Errorf(candor.ReasonInternal, "the bundle has a part %s already", path)
		}
	}
	out, err := w.zip.Create(path)
	if err != nil {
		return candor.Wrap("make bundle", err)
	}
	c := &counted{to: out, sum: sha256.New()}
	failed := write(c)
	part := Part{Path: path, What: what, Bytes: c.bytes, SHA256: hex.EncodeToString(c.sum.Sum(nil))}
	if failed != nil {
		part.Incomplete = failed.Error()
	}
	w.parts = append(w.parts, part)
	return failed
}

// AddJSON writes a document, indented for people.
func (w *Writer) AddJSON(path, what string, document any) error {
	return w.Add(path, what, func(to io.Writer) error {
		e := json.NewEncoder(to)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(document)
	})
}

// Close writes the manifest, with the parts that were added, and puts the bundle in its
// place. It returns the manifest as written.
func (w *Writer) Close(m Manifest) (_ Manifest, err error) {
	defer func() {
		if err != nil {
			err = candor.Wrap("make bundle", errors.Join(err, os.Remove(w.file.Name())))
		}
	}()
	m.Format, m.Parts = Format, w.parts
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, errors.Join(err, w.file.Close())
	}
	out, err := w.zip.Create(ManifestName)
	if err == nil {
		_, err = out.Write(append(data, '\n'))
	}
	if err = errors.Join(err, w.zip.Close(), w.file.Sync(), w.file.Close()); err != nil {
		return m, err
	}
	return m, os.Rename(w.file.Name(), w.path)
}

// Abandon leaves nothing behind.
func (w *Writer) Abandon() error {
	return candor.Wrap("make bundle", errors.Join(w.file.Close(), os.Remove(w.file.Name())))
}

type counted struct {
	to    io.Writer
	sum   hash.Hash
	bytes int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.sum.Write(p[:n])
	c.bytes += int64(n)
	return n, err
}
