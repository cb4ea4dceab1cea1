package bundle

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/candor-plane/candor"
)

// Reader is an open bundle.
type Reader struct {
	path     string
	file     *os.File
	zip      *zip.Reader
	manifest Manifest
	parts    map[string]Part
}

// Open reads a bundle's manifest. The error is NOT_FOUND where there is no file,
// DATA_CORRUPT for what is no bundle or was cut, FEATURE_LEVEL for one of another format.
func Open(path string) (_ *Reader, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, candor.Errorf(candor.ReasonNotFound, "bundle %s: %w", path, err)
	}
	if err != nil {
		return nil, candor.Wrap("open bundle", err)
	}
	defer func() {
		if err != nil {
			err = candor.Wrap("open bundle "+path, errors.Join(err, f.Close()))
		}
	}()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, st.Size())
	if err != nil {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "it is no bundle, or was cut: %w", err)
	}
	r := &Reader{path: path, file: f, zip: z, parts: map[string]Part{}}
	data, err := r.read(ManifestName)
	if err != nil {
		return nil, err
	}
	if r.manifest, err = parseManifest(data); err != nil {
		return nil, err
	}
	for _, p := range r.manifest.Parts {
		r.parts[p.Path] = p
	}
	return r, nil
}

// Manifest says what is in the bundle.
func (r *Reader) Manifest() Manifest { return r.manifest }

// Has says whether there is such a part.
func (r *Reader) Has(path string) bool {
	_, ok := r.parts[path]
	return ok
}

// Part opens a part. Its end is DATA_CORRUPT where it is not what was written.
func (r *Reader) Part(path string) (io.ReadCloser, error) {
	part, ok := r.parts[path]
	if !ok {
		return nil, candor.Errorf(candor.ReasonNotFound, "bundle %s has no part %s", r.path, path)
	}
	f, err := r.zip.Open(path)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "bundle %s: %s: %w", r.path, path, err)
	}
	return &checked{ReadCloser: f, path: r.path + ": " + path, want: part, counted: counted{to: io.Discard, sum: sha256.New()}}, nil
}

// JSON reads a document.
func (r *Reader) JSON(path string, into any) (err error) {
	part, err := r.Part(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, part.Close()) }()
	data, err := io.ReadAll(part)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return candor.Errorf(candor.ReasonDataCorrupt, "bundle %s: %s: %w", r.path, path, err)
	}
	return nil
}

// Verify reads every part.
func (r *Reader) Verify() error {
	for _, p := range r.manifest.Parts {
		f, err := r.Part(p.Path)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return candor.Wrap("verify bundle", err)
		}
	}
	return nil
}

// Close closes the file.
func (r *Reader) Close() error { return candor.Wrap("close bundle", r.file.Close()) }

// read reads what no manifest lists: the manifest.
func (r *Reader) read(path string) ([]byte, error) {
	f, err := r.zip.Open(path)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonDataCorrupt, "it has no %s: it is another archive", path)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		err = candor.Errorf(candor.ReasonDataCorrupt, "%s: %w", path, err)
	}
	return data, errors.Join(err, f.Close())
}

// checked is a part that is compared with what the manifest says of it.
type checked struct {
	io.ReadCloser
	path    string
	want    Part
	counted counted
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	_, _ = c.counted.Write(p[:n]) // it discards
	switch {
	case err == nil:
	case !errors.Is(err, io.EOF):
		err = candor.Errorf(candor.ReasonDataCorrupt, "bundle %s: %w", c.path, err)
	case c.counted.bytes != c.want.Bytes || hex.EncodeToString(c.counted.sum.Sum(nil)) != c.want.SHA256:
		err = candor.Errorf(candor.ReasonDataCorrupt, "bundle %s is not what was written", c.path)
	}
	return n, err
}
