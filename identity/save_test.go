package identity_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

func TestWrittenKeysAreTheirOwnersAlone(t *testing.T) {
	files := filesIn(filepath.Join(t.TempDir(), "tls", "s1"))
	content := issue(t, authority(t, "c1", epoch), server("c1", "s1"), year, epoch)
	write(t, files, content)
	// Whatever mode an older file had.
	if err := os.Chmod(files.Key, 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, files, content)
	for path, want := range map[string]os.FileMode{files.CA: 0o644, files.Cert: 0o644, files.Key: 0o600, filepath.Dir(files.Key): 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
	m, err := identity.Load(files, epoch)
	if err != nil || m.Self != server("c1", "s1") || len(m.Warnings) != 0 {
		t.Errorf("written and not read back: %+v, %v", m, err)
	}
}

func TestAFailedWriteChangesNothingAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	files := filesIn(dir)
	a := authority(t, "c1", epoch)
	write(t, files, issue(t, a, server("c1", "s1"), year, epoch))
	before, err := identity.Load(files, epoch)
	if err != nil {
		t.Fatal(err)
	}
	next := issue(t, a, server("c1", "s1"), 2*year, epoch)
	impossible := files
	impossible.Cert = filepath.Join(files.CA, "below-a-file")
	if err = identity.WriteFiles(impossible, next); err == nil {
		t.Fatal("wrote below a file")
	}
	impossible.Cert = ""
	says(t, identity.WriteFiles(impossible, next), candor.ReasonInvalid, "no file is named")
	after, err := identity.Load(files, epoch)
	if err != nil || !after.NotAfter.Equal(before.NotAfter) {
		t.Errorf("%v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestOnlyWhatIsGivenIsWritten(t *testing.T) {
	a := authority(t, "c1", epoch)
	files := filesIn(t.TempDir())
	write(t, files, issue(t, a, server("c1", "s1"), year, epoch))
	write(t, files, identity.Content{CA: bundle(a, authority(t, "c1", epoch))})
	m, err := identity.Load(files, epoch)
	if err != nil || len(m.Authorities) != 2 || m.Self != server("c1", "s1") {
		t.Errorf("%+v, %v", m, err)
	}
}
