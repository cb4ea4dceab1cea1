package datadir

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/types"

	"github.com/candor-plane/candor"
)

// tailFile is the log's last file, and where its last whole batch ends.
func tailFile(t testing.TB, path string) (file string, end int64) {
	t.Helper()
	state := &walState{dir: filepath.Join(path, raftName, walName), fs: OS{}}
	if err := state.read(); err != nil {
		t.Fatal(err)
	}
	file = state.tail()
	f, err := OS{}.Open(file, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	segments := state.state.Segments
	walked, err := walkSegment(f, file, segments[len(segments)-1])
	if err != nil {
		t.Fatal(err)
	}
	return file, walked.end
}

// cutShort leaves a directory as if the machine had stopped during one more
// write: mangle sees the bytes of that write, which begin at an offset.
func cutShort(t *testing.T, mangle func(batch []byte, at int64) []byte) (path string, promised uint64) {
	t.Helper()
	path = t.TempDir()
	o := testOptions(WAL)
	o.SegmentBytes = 256 << 10
	d := mustOpen(t, path, o)
	fill(t, d, 1, 40, 2)
	d.Close()
	file, before := tailFile(t, path)
	d = mustOpen(t, path, o)
	var batch []*raft.Log
	for i := uint64(41); i <= 60; i++ {
		batch = append(batch, entryAt(i, 2))
	}
	if err := d.Log().StoreLogs(batch); err != nil {
		t.Fatal(err)
	}
	d.Close()
	_, after := tailFile(t, path)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	left := mangle(append([]byte(nil), data[before:after]...), before)
	clear(data[before:after])
	copy(data[before:], left)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, 40
}

func TestAWriteCutShortIsDroppedAndNothingElse(t *testing.T) {
	cuts := map[string]func([]byte, int64) []byte{
		"nothing arrived":       func([]byte, int64) []byte { return nil },
		"one byte":              func(b []byte, _ int64) []byte { return b[:1] },
		"half a header":         func(b []byte, _ int64) []byte { return b[:5] },
		"the first page":        func(b []byte, at int64) []byte { return b[:4096-at%4096] },
		"all but the last word": func(b []byte, _ int64) []byte { return b[:len(b)-8] },
		"a sector missing":      func(b []byte, at int64) []byte { clear(b[1024-at%512 : 1536-at%512]); return b },
		"the first missing":     func(b []byte, at int64) []byte { clear(b[:512-at%512]); return b },
	}
	for name, mangle := range cuts {
		t.Run(name, func(t *testing.T) {
			path, promised := cutShort(t, mangle)
			o := testOptions(WAL)
			d := mustOpen(t, path, o)
			if got := mustRead(t, d); got.Last != promised {
				t.Fatalf("log ends at %d, promised were %d", got.Last, promised)
			}
			if name != "nothing arrived" && len(d.Recovery().Repaired) != 1 {
				t.Errorf("repaired %q", d.Recovery().Repaired)
			}
			fill(t, d, promised+1, promised+30, 3)
			want := mustRead(t, d)
			d.Close()
			if got := mustRead(t, mustOpen(t, path, o)); len(got.Logs) != len(want.Logs) || got.Last != promised+30 {
				t.Errorf("after the next writes the log ends at %d", got.Last)
			}
		})
	}
}

// What was written whole and differs from its checksum is damage, even in the
// last batch: it may have been promised.
func TestDamageInTheLastBatchIsNoWriteCutShort(t *testing.T) {
	for name, mangle := range map[string]func([]byte, int64) []byte{
		"first header":     func(b []byte, _ int64) []byte { b[0] ^= 4; return b },
		"a length":         func(b []byte, _ int64) []byte { b[5] ^= 1; return b },
		"contents":         func(b []byte, _ int64) []byte { b[len(b)/2] ^= 1; return b },
		"commit checksum":  func(b []byte, _ int64) []byte { b[len(b)-2] ^= 1; return b },
		"commit type":      func(b []byte, _ int64) []byte { b[len(b)-8] ^= 8; return b },
		"commit's padding": func(b []byte, _ int64) []byte { b[len(b)-6] ^= 8; return b },
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := cutShort(t, mangle)
			file, _ := tailFile(t, path)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Open(path, testOptions(WAL))
			wantReason(t, err, candor.ReasonDataCorrupt, file)
			after, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(before) != string(after) {
				t.Error("the refused file was changed")
			}
		})
	}
}

// A stop between closing a segment's file and listing the next one leaves a
// tail that raft-wal opens and then refuses to write to.
func TestARotationCutShortIsCompleted(t *testing.T) {
	path := t.TempDir()
	o := testOptions(WAL)
	var keep []byte
	list := filepath.Join(path, raftName, walName, walStateName)
	d := mustOpen(t, path, o)
	next := uint64(1)
	for {
		before, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, d, next, next, 2)
		next++
		// The next write waits for the rotation that this one may have begun.
		if err := d.Log().DeleteRange(1<<40, 1<<41); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		if string(before) != string(after) && next > 2 {
			keep = before
			break
		}
	}
	d.Close()
	if err := os.WriteFile(list, keep, 0o600); err != nil {
		t.Fatal(err)
	}
	d = mustOpen(t, path, o)
	if got := mustRead(t, d); got.Last != next-1 {
		t.Fatalf("log ends at %d, want %d", got.Last, next-1)
	}
	if notes := strings.Join(d.Recovery().Repaired, ";"); !strings.Contains(notes, "completed a rotation") {
		t.Errorf("repaired %q", notes)
	}
	fill(t, d, next, next+20, 3)
	d.Close()
	if got := mustRead(t, mustOpen(t, path, o)); got.Last != next+20 {
		t.Errorf("log ends at %d, want %d", got.Last, next+20)
	}
}

// A stop between installing a snapshot and clearing the log leaves a log that
// raft-wal would refuse to continue.
func TestALogThatASnapshotReplacedIsCleared(t *testing.T) {
	kinds(t, func(t *testing.T, kind LogStore) {
		for name, snapshot := range map[string]struct{ index, term uint64 }{
			"log ends before":      {500, 6},
			"log went another way": {20, 5},
		} {
			t.Run(name, func(t *testing.T) {
				path := t.TempDir()
				d := mustOpen(t, path, testOptions(kind))
				fill(t, d, 1, 50, 2)
				if err := d.Stable().SetUint64(keyCurrentTerm, 6); err != nil {
					t.Fatal(err)
				}
				takeSnapshot(t, d, snapshot.index, snapshot.term)
				d.Close()
				d = mustOpen(t, path, testOptions(kind))
				if got := mustRead(t, d); got.Last != 0 || len(d.Recovery().Repaired) != 1 {
					t.Fatalf("log %d to %d, repaired %q", got.First, got.Last, d.Recovery().Repaired)
				}
				fill(t, d, snapshot.index+1, snapshot.index+9, 6)
				d.Close()
				if got := mustRead(t, mustOpen(t, path, testOptions(kind))); got.First != snapshot.index+1 || got.Last != snapshot.index+9 {
					t.Errorf("log %d to %d", got.First, got.Last)
				}
			})
		}
	})
}

func TestAnUnreadableSnapshotIsRebuiltOnlyFromAWholeLog(t *testing.T) {
	kinds(t, func(t *testing.T, kind LogStore) {
		for _, whole := range []bool{true, false} {
			path := t.TempDir()
			d := mustOpen(t, path, testOptions(kind))
			fill(t, d, 1, 50, 2)
			takeSnapshot(t, d, 30, 2)
			if !whole {
				if err := d.Log().DeleteRange(1, 10); err != nil {
					t.Fatal(err)
				}
			}
			snapshot := d.Snapshots().Path("00000000000000000030-00000000000000000002")
			d.Close()
			if err := os.Truncate(snapshot, 300); err != nil {
				t.Fatal(err)
			}
			d, err := Open(path, testOptions(kind))
			if !whole {
				wantReason(t, err, candor.ReasonDataCorrupt, snapshot)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if r := d.Recovery(); r.State != candor.RestartRebuild || r.SnapshotIndex != 0 {
				t.Errorf("recovery %+v", r)
			}
			if got := mustRead(t, d); got.Meta != nil || got.First != 1 {
				t.Errorf("snapshot %v, log from %d", got.Meta, got.First)
			}
			d.Close()
			if _, err := os.Stat(snapshot + damagedSuffix); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestARefusedWriteLeavesTheLogAsItWas(t *testing.T) {
	path := t.TempDir()
	o := testOptions(WAL)
	full := false
	o.FS = failing{OS{}, func(op, _ string) error {
		if full && (op == "preallocate" || op == "writeat") {
			return &os.PathError{Op: op, Path: "x", Err: os.ErrDeadlineExceeded}
		}
		return nil
	}}
	d := mustOpen(t, path, o)
	fill(t, d, 1, 10, 1)
	full = true
	if err := d.Log().StoreLog(entryAt(11, 1)); err == nil {
		t.Fatal("a write to a failing disk was acknowledged")
	}
	full = false
	fill(t, d, 11, 12, 1)
	d.Close()
	if got := mustRead(t, mustOpen(t, path, testOptions(WAL))); got.Last != 12 {
		t.Errorf("log ends at %d", got.Last)
	}
}

func TestASnapshotExistsWholeOrNotAtAll(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path, testOptions(WAL))
	fill(t, d, 1, 50, 2)
	takeSnapshot(t, d, 10, 2)
	s, err := d.Snapshots().Create(1, 20, 2, raft.Configuration{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "half a st"); err != nil {
		t.Fatal(err)
	}
	metas, err := d.Snapshots().List()
	if err != nil || len(metas) != 1 || metas[0].Index != 10 {
		t.Fatalf("snapshots %v %v while one is being written", metas, err)
	}
	d.Close()
	d = mustOpen(t, path, testOptions(WAL))
	if metas, err := d.Snapshots().List(); err != nil || len(metas) != 1 || metas[0].Index != 10 {
		t.Fatalf("snapshots %v %v after a stop while one was written", metas, err)
	}
	_, old, err := d.Snapshots().Open(metas[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	takeSnapshot(t, d, 30, 2)
	if metas, err := d.Snapshots().List(); err != nil || len(metas) != 1 || metas[0].Index != 30 {
		t.Fatalf("snapshots %v %v after a newer one", metas, err)
	}
	if b, err := io.ReadAll(old); err != nil || !strings.HasPrefix(string(b), "state at 10.") {
		t.Errorf("the older one, still open: %.20q %v", b, err)
	}
	left, err := os.ReadDir(filepath.Join(path, raftName, snapshotsName))
	if err != nil || len(left) != 1 {
		t.Errorf("files left: %v %v", left, err)
	}
}

func TestASeededDirectoryStartsFromItsSnapshot(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path, testOptions(WAL))
	servers := raft.Configuration{Servers: []raft.Server{{ID: "new", Address: "127.0.0.1:9"}}}
	if err := d.Seed(raft.SnapshotMeta{Index: 77, Term: 3, Configuration: servers, ConfigurationIndex: 77}, strings.NewReader("restored")); err != nil {
		t.Fatal(err)
	}
	if err := d.Seed(raft.SnapshotMeta{Index: 78, Term: 3}, strings.NewReader("again")); candor.ReasonOf(err) != candor.ReasonDataForeign {
		t.Errorf("a second seed: %v", err)
	}
	d.Close()
	d = mustOpen(t, path, testOptions(WAL))
	got := mustRead(t, d)
	if got.Snapshot != "restored" || got.Meta.Index != 77 || got.Meta.ConfigurationIndex != 77 || len(got.Meta.Configuration.Servers) != 1 {
		t.Errorf("contents %+v", got)
	}
	if term, err := d.Stable().GetUint64(keyCurrentTerm); err != nil || term != 3 {
		t.Errorf("term %d %v", term, err)
	}
}

// The library's own assumption, which walState keeps for it.
func TestTheListNamesNoFileThatDoesNotExist(t *testing.T) {
	dir := t.TempDir()
	lost := false
	s := &walState{dir: dir, fs: failing{OS{}, func(op, _ string) error {
		if lost && op == "syncdir" {
			return io.ErrClosedPipe
		}
		return nil
	}}}
	lost = true
	info := types.SegmentInfo{ID: 4, BaseIndex: 9, SizeLimit: 4096}
	if err := s.CommitState(types.PersistentState{Segments: []types.SegmentInfo{info}}); err == nil {
		t.Fatal("committed a list whose tail is not durable")
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func BenchmarkOpen128MiB(b *testing.B) {
	path := b.TempDir()
	o := testOptions(WAL)
	o.SegmentBytes = 64 << 20
	d := mustOpen(b, path, o)
	if err := d.Stable().SetUint64(keyCurrentTerm, 1); err != nil {
		b.Fatal(err)
	}
	for i := uint64(1); i <= 128<<20/660; {
		var batch []*raft.Log
		for range 512 {
			batch = append(batch, entryAt(i, 1))
			i++
		}
		if err := d.Log().StoreLogs(batch); err != nil {
			b.Fatal(err)
		}
	}
	d.Close()
	for b.Loop() {
		d := mustOpen(b, path, o)
		d.Close()
	}
}
