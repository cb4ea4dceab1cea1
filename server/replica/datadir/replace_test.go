package datadir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

const replacementID = "5b6e1a60-8d1b-4f0e-9a53-0d6d2c2f5c11"

func replacement() Replacement {
	return Replacement{
		ID: replacementID, HistoryID: "h2", Term: 4, Notes: map[string][]byte{"UNDO.txt": []byte("how")},
		Snapshot: raft.SnapshotMeta{Index: 110, Term: 4, ConfigurationIndex: 110, Configuration: raft.Configuration{Servers: []raft.Server{{ID: "s1", Address: "127.0.0.1:1"}}}},
	}
}

func readOnly(o Options) Options {
	o.ReadOnly = true
	return o
}

func TestAReplacementTakesThePlaceOfTheStoresAndKeepsThem(t *testing.T) {
	kinds(t, func(t *testing.T, kind LogStore) {
		for _, clean := range []bool{true, false} {
			path, want := damagedDir(t, kind, clean)
			d := mustOpen(t, path, readOnly(testOptions(kind)))
			was := d.Identity()
			if err := d.SetTrust(Trust{Operator: true}); err != nil {
				t.Fatal(err)
			}
			if err := d.Replace(replacement(), strings.NewReader("a new beginning")); err != nil {
				t.Fatal(err)
			}
			kept := d.Replaced(replacementID)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			for range 2 { // as made, and after a clean stop
				d = mustOpen(t, path, testOptions(kind))
				is := d.Identity()
				if is.ServerID != was.ServerID || is.ClusterID != was.ClusterID || is.HistoryID != "h2" || !d.IsReplacement(replacementID) {
					t.Errorf("identity %+v, before %+v", is, was)
				}
				got, found := mustRead(t, d), d.Recovery()
				if got.Snapshot != "a new beginning" || got.Meta.Index != 110 || got.Last != 0 || found.CurrentTerm != 4 || d.Empty() {
					t.Errorf("read %+v, recovery %+v", got, found)
				}
				if trust, err := d.Trust(); err != nil || trust != (Trust{}) {
					t.Errorf("distrust of the old state stays: %+v, %v", trust, err)
				}
				if err := d.Tidy(replacementID); err != nil {
					t.Error(err)
				}
				if err := d.CloseClean(); err != nil {
					t.Fatal(err)
				}
			}
			undo(t, path, kept)
			d = mustOpen(t, path, testOptions(kind))
			if back := mustRead(t, d); d.Identity() != was || cmp.Diff(want, back) != "" {
				t.Errorf("undone: %+v, before %+v\n%s", d.Identity(), was, cmp.Diff(want, back))
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// undo puts back what was replaced.
func undo(t *testing.T, path, kept string) {
	t.Helper()
	for _, name := range []string{raftName, identityName} {
		if err := os.Rename(filepath.Join(kept, name), filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
	}
}

var errCrashed = errors.New("crashed here")

// Crashes at every step: what is found afterwards is the old, whole, or the new,
// whole, and a repeat makes it the new.
func TestACrashAtAnyStepLeavesTheOldOrTheNew(t *testing.T) {
	inMemory(t)
	kinds(t, func(t *testing.T, kind LogStore) {
		source, want := damagedDir(t, kind, true)
		before, after := 0, 0
		for step := 1; ; step++ {
			path := copyDir(t, source)
			o := readOnly(testOptions(kind))
			n, replacing := 0, false
			o.FS = failing{OS{}, func(op, name string) error {
				if n++; replacing && n > step {
					return fmt.Errorf("%s %s: %w", op, name, errCrashed)
				}
				return nil
			}}
			d := mustOpen(t, path, o)
			n, replacing = 0, true
			err := d.Replace(replacement(), strings.NewReader("a new beginning"))
			_ = d.Close()
			if err != nil && !errors.Is(err, errCrashed) {
				t.Fatalf("step %d: %v", step, err)
			}

			again := mustOpen(t, path, readOnly(testOptions(kind)))
			if again.IsReplacement(replacementID) {
				after++
				wantReplacement(t, step, again)
				err = again.Tidy(replacementID)
			} else {
				before++
				if got := mustRead(t, again); again.Identity().HistoryID != "" || cmp.Diff(want, got) != "" {
					t.Fatalf("step %d: neither the old nor the new: %s", step, cmp.Diff(want, got))
				}
				err = again.Replace(replacement(), strings.NewReader("a new beginning"))
			}
			if err != nil {
				t.Fatalf("step %d, repeated: %v", step, err)
			}
			if _, err := os.Stat(filepath.Join(again.Replaced(replacementID), raftName)); err != nil {
				t.Errorf("step %d: what was replaced is not kept: %v", step, err)
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
			last := mustOpen(t, path, testOptions(kind))
			wantReplacement(t, step, last)
			if err := last.Close(); err != nil {
				t.Fatal(err)
			}
			if n <= step {
				t.Logf("%d steps: the old after %d, the new after %d", n, before, after)
				if before < 10 || after < 3 {
					t.Errorf("too few crashes on one side: %d and %d", before, after)
				}
				return
			}
		}
	})
}

func wantReplacement(t *testing.T, step int, d *Dir) {
	t.Helper()
	got := mustRead(t, d)
	if d.Identity().HistoryID != "h2" || got.Snapshot != "a new beginning" || got.Meta.Index != 110 || got.Last != 0 || d.Recovery().CurrentTerm != 4 {
		t.Fatalf("step %d: not the new, whole: %+v of %+v", step, got, d.Identity())
	}
}

func TestSumsChangeWithAnyFileThatAStartReliesOn(t *testing.T) {
	path, _ := damagedDir(t, WAL, true)
	sums := func() []FileSum {
		d := mustOpen(t, path, readOnly(testOptions(WAL)))
		defer d.Close()
		s, err := d.Sums()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := sums()
	if diff := cmp.Diff(before, sums()); diff != "" || len(before) < 6 {
		t.Fatalf("looking changes it: %s", diff)
	}
	d := mustOpen(t, path, readOnly(testOptions(WAL)))
	if err := d.SetTrust(Trust{Operator: true}); err != nil {
		t.Fatal(err)
	}
	_ = d.Close()
	marked := sums()
	if cmp.Diff(before, marked) == "" {
		t.Error("a word of distrust was not seen")
	}
	d = mustOpen(t, path, testOptions(WAL))
	if err := d.Log().StoreLogs([]*raft.Log{entryAt(111, 4)}); err != nil {
		t.Fatal(err)
	}
	if err := d.CloseClean(); err != nil {
		t.Fatal(err)
	}
	if cmp.Diff(marked, sums()) == "" {
		t.Error("an entry was not seen")
	}
}

func TestADirectoryWithoutItsIdentityIsDamagedBesideReplacedStores(t *testing.T) {
	for _, name := range []string{storesPrefix + replacementID, replacedPrefix + replacementID} {
		path := t.TempDir()
		if err := os.Mkdir(filepath.Join(path, name), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, testOptions(WAL))
		wantReason(t, err, candor.ReasonDataCorrupt, identityName)
	}
	path, _ := damagedDir(t, WAL, true)
	d := mustOpen(t, path, testOptions(WAL))
	if err := d.Replace(replacement(), io.LimitReader(strings.NewReader(""), 0)); candor.ReasonOf(err) != candor.ReasonInternal {
		t.Errorf("stores that are open to be written were replaced: %v", err)
	}
}
