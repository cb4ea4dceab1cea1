package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/candor-plane/candor"
)

// Part is a file beside the account that its caller writes, such as history.jsonl.
type Part struct {
	// Name of the file, in the account's directory.
	Name string
	// What it holds, in words.
	What  string
	Write func(io.Writer) error
}

// Save writes the parts, seed, doctor.json, report.html and, last, report.json into
// dir, which it makes: whoever finds report.json finds all of it. Each file is
// whole or not there; those of an earlier account are replaced. It returns the
// account as it was written, with its Files.
func Save(dir string, r *Report, parts ...Part) (*Report, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, candor.Wrap("save report", err)
	}
	whole := *r
	whole.Format, whole.Folder = Format, dir
	files := slices.Clone(r.Files)
	parts = append(slices.Clone(parts),
		Part{"seed", "the seed, alone", func(w io.Writer) error { _, err := fmt.Fprintln(w, r.Seed); return err }},
		Part{"doctor.json", "what this machine can do harm with", func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			return encoder.Encode(&r.Machine)
		}})
	for _, p := range parts {
		n, err := save(dir, p)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Name: p.Name, What: p.What, Bytes: n})
	}
	whole.Files = append(files,
		File{Name: "report.html", What: "this account as one page, without anything from elsewhere"},
		File{Name: "report.json", What: "this account as data"})
	for _, p := range []Part{
		{Name: "report.html", Write: func(w io.Writer) error { return WriteHTML(w, &whole) }},
		{Name: "report.json", Write: func(w io.Writer) error { return WriteJSON(w, &whole) }},
	} {
		if _, err := save(dir, p); err != nil {
			return nil, err
		}
	}
	return &whole, nil
}

// save writes one file under another name, and renames it.
func save(dir string, p Part) (size int64, err error) {
	if !filepath.IsLocal(p.Name) || filepath.Base(p.Name) != p.Name {
		return 0, candor.Wrap("save report", candor.Errorf(candor.ReasonInvalid, "file %q: want a name without folders", p.Name))
	}
	into, err := os.CreateTemp(dir, "."+p.Name+"-*")
	if err != nil {
		return 0, candor.Wrap("save report", err)
	}
	defer func() { _ = os.Remove(into.Name()) }() // of what was not renamed
	err = write(into, p.Write)
	if closed := into.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return 0, candor.Wrap("save "+p.Name, err)
	}
	info, err := os.Stat(into.Name())
	if err != nil {
		return 0, candor.Wrap("save "+p.Name, err)
	}
	return info.Size(), candor.Wrap("save "+p.Name, os.Rename(into.Name(), filepath.Join(dir, p.Name)))
}

func write(into *os.File, how func(io.Writer) error) error {
	out := bufio.NewWriter(into)
	if err := how(out); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := into.Chmod(0o644); err != nil {
		return err
	}
	return into.Sync()
}
