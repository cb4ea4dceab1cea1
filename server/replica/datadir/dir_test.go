package datadir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

func testOptions(kind LogStore) Options {
	return Options{
		Name: "n1", ClusterID: "c1", LogStore: kind,
		SegmentBytes: 16 << 10, BallastBytes: 64 << 10, Logger: hclog.NewNullLogger(),
	}
}

func mustOpen(t testing.TB, path string, o Options) *Dir {
	t.Helper()
	d, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// entryAt is a log entry whose contents follow from its index.
func entryAt(index, term uint64) *raft.Log {
	if index == 1 {
		servers := []raft.Server{{ID: "s1", Address: "127.0.0.1:1"}}
		return &raft.Log{Index: 1, Term: term, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(raft.Configuration{Servers: servers})}
	}
	body := strings.Repeat(fmt.Sprintf("entry %d of term %d. ", index, term), 1+int(index%37))
	return &raft.Log{Index: index, Term: term, Type: raft.LogCommand, Data: command.AppendEntry(nil, command.Entry{Term: term, Commands: [][]byte{[]byte(body)}})}
}

// fill appends entries in batches of different sizes.
func fill(t testing.TB, d *Dir, from, to, term uint64) {
	t.Helper()
	if err := d.Stable().SetUint64(keyCurrentTerm, term); err != nil {
		t.Fatal(err)
	}
	for from <= to {
		var batch []*raft.Log
		for n := from%5 + 1; n > 0 && from <= to; n-- {
			batch = append(batch, entryAt(from, term))
			from++
		}
		if err := d.Log().StoreLogs(batch); err != nil {
			t.Fatal(err)
		}
	}
}

func takeSnapshot(t testing.TB, d *Dir, index, term uint64) {
	t.Helper()
	s, err := d.Snapshots().Create(1, index, term, raft.Configuration{Servers: []raft.Server{{ID: "s1", Address: "127.0.0.1:1"}}}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, strings.Repeat(fmt.Sprintf("state at %d. ", index), 500)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// contents is everything that raft would rely on.
type contents struct {
	First, Last uint64
	Logs        []raft.Log
	Stable      map[string][]byte
	Snapshot    string
	Meta        *raft.SnapshotMeta
}

func read(d *Dir) (contents, error) {
	var c contents
	var err error
	if c.First, c.Last, err = d.bounds(); err != nil {
		return c, err
	}
	for i := c.First; i <= c.Last && i > 0; i++ {
		var l raft.Log
		if err := d.Log().GetLog(i, &l); err != nil {
			return c, err
		}
		l.AppendedAt = time.Time{}
		c.Logs = append(c.Logs, l)
	}
	c.Stable = d.stable.values
	c.Meta, err = d.Snapshots().newest()
	if err != nil || c.Meta == nil {
		return c, err
	}
	_, r, err := d.Snapshots().Open(c.Meta.ID)
	if err != nil {
		return c, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	c.Snapshot = string(b)
	return c, err
}

func mustRead(t testing.TB, d *Dir) contents {
	t.Helper()
	c, err := read(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantReason(t testing.TB, err error, reason candor.Reason, file string) {
	t.Helper()
	if candor.ReasonOf(err) != reason {
		t.Fatalf("error %v: want %s", err, reason)
	}
	if !strings.Contains(err.Error(), file) {
		t.Fatalf("error %v does not name %s", err, file)
	}
}

func kinds(t *testing.T, run func(t *testing.T, kind LogStore)) {
	for _, kind := range []LogStore{WAL, BoltDB} {
		t.Run(string(kind), func(t *testing.T) { run(t, kind) })
	}
}

func TestADirectoryIsBornOnceAndKeepsItsIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	d := mustOpen(t, path, testOptions(WAL))
	born := d.Identity()
	if born.ServerID == "" || born.Name != "n1" || born.LogStore != WAL || !d.Empty() {
		t.Fatalf("identity %+v, empty %v", born, d.Empty())
	}
	if err := d.CloseClean(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, path, Options{Logger: hclog.NewNullLogger(), SegmentBytes: 16 << 10, BallastBytes: -1})
	if diff := cmp.Diff(born, again.Identity()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWasStoredIsThereAfterACleanStopAndAfterACrash(t *testing.T) {
	kinds(t, func(t *testing.T, kind LogStore) {
		path := t.TempDir()
		d := mustOpen(t, path, testOptions(kind))
		fill(t, d, 1, 120, 3)
		takeSnapshot(t, d, 40, 3)
		if err := d.Stable().Set([]byte("LastVoteCand"), []byte("127.0.0.1:1")); err != nil {
			t.Fatal(err)
		}
		want := mustRead(t, d)
		if err := d.CloseClean(); err != nil {
			t.Fatal(err)
		}
		for _, stop := range []struct {
			state candor.RestartState
			close func(*Dir) error
		}{{candor.RestartReady, (*Dir).Close}, {candor.RestartCatchUp, (*Dir).CloseClean}, {candor.RestartReady, (*Dir).CloseClean}} {
			d := mustOpen(t, path, testOptions(kind))
			if diff := cmp.Diff(want, mustRead(t, d)); diff != "" {
				t.Error(diff)
			}
			if d.Recovery().State != stop.state {
				t.Errorf("state %s (%s), want %s", d.Recovery().State, d.Recovery().Why, stop.state)
			}
			if err := stop.close(d); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestASecondProcessIsRefusedByName(t *testing.T) {
	path := t.TempDir()
	if os.Getenv("DATADIR_HOLD") != "" {
		d := mustOpen(t, os.Getenv("DATADIR_HOLD"), testOptions(WAL))
		fmt.Println("held")
		_, _ = io.ReadAll(os.Stdin)
		d.Close()
		return
	}
	child := exec.Command(os.Args[0], "-test.run", "^TestASecondProcessIsRefusedByName$")
	child.Env = append(os.Environ(), "DATADIR_HOLD="+path)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer in.Close()
	if _, err := io.ReadFull(out, make([]byte, len("held\n"))); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path, testOptions(WAL))
	wantReason(t, err, candor.ReasonDataLocked, filepath.Join(path, "LOCK"))
	if want := fmt.Sprintf("process %d", child.Process.Pid); !strings.Contains(err.Error(), want) {
		t.Errorf("error %v does not say %q", err, want)
	}
}

func TestASecondOpenInTheSameProcessIsRefused(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path, testOptions(WAL))
	_, err := Open(path, testOptions(WAL))
	wantReason(t, err, candor.ReasonDataLocked, filepath.Join(path, "LOCK"))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, path, testOptions(WAL))
}

func TestAForeignDirectoryIsRefused(t *testing.T) {
	path := t.TempDir()
	if err := mustOpen(t, path, testOptions(WAL)).CloseClean(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"another name":      func(o *Options) { o.Name = "n2" },
		"another server":    func(o *Options) { o.ServerID = "00000000-0000-0000-0000-000000000000" },
		"another cluster":   func(o *Options) { o.ClusterID = "c2" },
		"another log store": func(o *Options) { o.LogStore = BoltDB },
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(WAL)
			change(&o)
			_, err := Open(path, o)
			wantReason(t, err, candor.ReasonDataForeign, filepath.Join(path, "identity.json"))
		})
	}
	t.Run("somebody's files", func(t *testing.T) {
		other := t.TempDir()
		if err := os.WriteFile(filepath.Join(other, "thesis.doc"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(other, testOptions(WAL))
		wantReason(t, err, candor.ReasonDataForeign, other)
	})
}

func TestAClusterIsRecordedOnceAndForGood(t *testing.T) {
	path := t.TempDir()
	o := testOptions(WAL)
	o.ClusterID = ""
	d := mustOpen(t, path, o)
	if err := d.SetCluster("c7", "h1"); err != nil {
		t.Fatal(err)
	}
	if err := d.SetCluster("c8", ""); candor.ReasonOf(err) != candor.ReasonDataForeign {
		t.Fatalf("a second cluster: %v", err)
	}
	d.Close()
	if got := mustOpen(t, path, o).Identity(); got.ClusterID != "c7" || got.HistoryID != "h1" {
		t.Errorf("identity %+v", got)
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	kinds(t, func(t *testing.T, kind LogStore) {
		origin := t.TempDir()
		d := mustOpen(t, origin, testOptions(kind))
		fill(t, d, 1, 80, 2)
		takeSnapshot(t, d, 30, 2)
		if err := d.Log().DeleteRange(1, 20); err != nil {
			t.Fatal(err)
		}
		d.Close()
		for _, file := range files(t, origin) {
			base := filepath.Base(file)
			if base == lockName || base == ballastName {
				continue
			}
			t.Run(base, func(t *testing.T) {
				path := copyDir(t, origin)
				if err := os.Remove(filepath.Join(path, file)); err != nil {
					t.Fatal(err)
				}
				d, err := Open(path, testOptions(kind))
				if err == nil {
					d.Close()
				}
				if candor.ReasonOf(err) != candor.ReasonDataCorrupt {
					t.Fatalf("without %s: %v", file, err)
				}
			})
		}
	})
}

func TestALossAfterACleanStopIsFound(t *testing.T) {
	kinds(t, func(t *testing.T, kind LogStore) {
		path := t.TempDir()
		d := mustOpen(t, path, testOptions(kind))
		fill(t, d, 1, 60, 2)
		if err := d.CloseClean(); err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(filepath.Join(path, markerName))
		if err != nil {
			t.Fatal(err)
		}
		d = mustOpen(t, path, testOptions(kind))
		if err := d.Log().DeleteRange(60, 60); err != nil {
			t.Fatal(err)
		}
		d.Close()
		if err := os.WriteFile(filepath.Join(path, markerName), kept, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = Open(path, testOptions(kind))
		wantReason(t, err, candor.ReasonDataCorrupt, filepath.Join(path, "raft"))
	})
}

func TestAForgottenTermIsRefused(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path, testOptions(WAL))
	fill(t, d, 1, 10, 5)
	if err := d.Stable().SetUint64(keyCurrentTerm, 4); err != nil {
		t.Fatal(err)
	}
	d.Close()
	_, err := Open(path, testOptions(WAL))
	wantReason(t, err, candor.ReasonDataCorrupt, "stable.db")
}

func TestAMissingBallastIsMadeAgainOrSaid(t *testing.T) {
	path := t.TempDir()
	mustOpen(t, path, testOptions(WAL)).Close()
	if err := os.Remove(filepath.Join(path, ballastName)); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, path, testOptions(WAL)).Close()
	if st, err := os.Stat(filepath.Join(path, ballastName)); err != nil || st.Size() != 64<<10 {
		t.Fatalf("ballast %v %v", st, err)
	}
	if err := os.Remove(filepath.Join(path, ballastName)); err != nil {
		t.Fatal(err)
	}
	o := testOptions(WAL)
	o.FS = failing{OS{}, func(op, name string) error {
		if op == "preallocate" && filepath.Base(name) == ballastName {
			return errors.New("no space left on device")
		}
		return nil
	}}
	d := mustOpen(t, path, o)
	if r := d.Recovery(); r.State != candor.RestartDegraded || !strings.Contains(r.Why, "no ballast") {
		t.Errorf("recovery %+v", r)
	}
}

// stamps are the files with sizes and times: what an inspection must not change.
func stamps(t *testing.T, path string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, file := range files(t, path) {
		st, err := os.Stat(filepath.Join(path, file))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) != lockName {
			out[file] = fmt.Sprint(st.Size(), st.ModTime().UnixNano())
		}
	}
	return out
}

func TestAnInspectionChangesNothing(t *testing.T) {
	kinds(t, func(t *testing.T, kind LogStore) {
		for _, clean := range []bool{true, false} {
			path, want := damagedDir(t, kind, clean)
			before := stamps(t, path)
			o := Options{ReadOnly: true, Logger: hclog.NewNullLogger()}
			d := mustOpen(t, path, o)
			if diff := cmp.Diff(want, mustRead(t, d)); diff != "" {
				t.Error(diff)
			}
			if err := d.Stable().SetUint64(keyCurrentTerm, 99); err == nil {
				t.Error("the term of an inspected directory was changed")
			}
			if err := d.Log().StoreLog(entryAt(want.Last+1, 9)); err == nil {
				t.Error("the log of an inspected directory was extended")
			}
			if err := d.CloseClean(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, stamps(t, path)); diff != "" {
				t.Error(diff)
			}
		}
		empty := t.TempDir()
		_, err := Open(empty, Options{ReadOnly: true, Logger: hclog.NewNullLogger()})
		wantReason(t, err, candor.ReasonNotFound, empty)
		born := t.TempDir()
		mustOpen(t, born, testOptions(kind)).Close()
		d := mustOpen(t, born, Options{ReadOnly: true, Logger: hclog.NewNullLogger()})
		if got := mustRead(t, d); got.Last != 0 {
			t.Errorf("an empty log ends at %d", got.Last)
		}
	})
}
