package datadir

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// failing asks before each operation whether it shall fail.
type failing struct {
	FS
	ask func(op, name string) error
}

func (f failing) Open(name string, flag int, perm fs.FileMode) (File, error) {
	if err := f.ask("open", name); err != nil {
		return nil, err
	}
	file, err := f.FS.Open(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return failingFile{file, name, f.ask}, nil
}

func (f failing) Rename(from, to string) error {
	if err := f.ask("rename", to); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

func (f failing) SyncDir(dir string) error {
	if err := f.ask("syncdir", dir); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

type failingFile struct {
	File
	name string
	ask  func(op, name string) error
}

func (f failingFile) Preallocate(size int64) error {
	if err := f.ask("preallocate", f.name); err != nil {
		return err
	}
	return f.File.Preallocate(size)
}

func (f failingFile) Sync() error {
	if err := f.ask("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f failingFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.ask("writeat", f.name); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, at)
}

// files are the directory's, by relative path.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out = append(out, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}
