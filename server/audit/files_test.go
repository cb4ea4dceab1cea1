package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	candor "github.com/candor-plane/candor"
)

// small rotates after a few lines of putLong.
func small(dir string) Options {
	o := options(dir)
	o.MaxFileBytes, o.MaxFiles = minFileBytes, 3
	return o
}

// putLong records a line of about half a kilobyte.
func putLong(t *testing.T, l *Log, name string) {
	t.Helper()
	ticket, err := l.Reserve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ticket.Commit(Record{Name: name, Verdict: Allowed, Message: strings.Repeat("m", 400)})
}

func TestFilesRotateBySizeAndTheOldestGo(t *testing.T) {
	dir := t.TempDir()
	o := small(filepath.Join(dir, "log"))
	l := open(t, o)
	for n := range 100 {
		putLong(t, l, fmt.Sprint(n))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > o.MaxFileBytes || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %d bytes, mode %v", e.Name(), info.Size(), info.Mode())
		}
	}
	if info, err := os.Stat(o.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v %v", info.Mode(), err)
	}
	rotations := l.Stats().Rotations
	want := []string{rotatedName(rotations - 1), rotatedName(rotations), currentName}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	got := records(t, o.Dir)
	for at, r := range got {
		if want := fmt.Sprint(100 - len(got) + at); r.Name != want {
			t.Fatalf("line %d is %s, want %s", at, r.Name, want)
		}
	}
	if s := l.Stats(); s.Written != 100 || s.Files != 3 {
		t.Errorf("stats %+v", s)
	}

	// The next boot goes on where this one ended.
	l = open(t, o)
	for n := range 10 {
		putLong(t, l, fmt.Sprint(100+n))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := records(t, o.Dir); got[len(got)-1].Name != "109" || got[len(got)-10].Name != "100" || got[len(got)-11].Name != "99" {
		t.Errorf("after a restart: %+v", got)
	}
}

func TestATornLineIsRemovedAndSaid(t *testing.T) {
	for name, c := range map[string]struct {
		before string
		whole  int
		torn   int
	}{
		"after lines":        {`{"name":"a"}` + "\n" + `{"name":"b"}` + "\n" + `{"na`, 2, 4},
		"alone":              {`{"name":"a`, 0, 10},
		"longer than a read": {`{"name":"a"}` + "\n" + strings.Repeat("x", 200_000), 1, 200_000},
		"none":               {`{"name":"a"}` + "\n", 1, 0},
		"empty":              {"", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, currentName), []byte(c.before), 0o644); err != nil {
				t.Fatal(err)
			}
			l := open(t, options(dir))
			put(t, l, "new")
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			got := records(t, dir)
			if c.torn > 0 {
				mark := got[c.whole]
				if mark.Verdict != Lost || mark.Count != 1 || !strings.Contains(mark.Message, fmt.Sprintf("its %d bytes", c.torn)) {
					t.Errorf("mark %+v: want %d bytes removed", mark, c.torn)
				}
				got = append(got[:c.whole], got[c.whole+1:]...)
			}
			if len(got) != c.whole+1 || got[c.whole].Name != "new" {
				t.Errorf("got %+v", got)
			}
			if info, err := os.Stat(filepath.Join(dir, currentName)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestAFailedRotationIsAnOutageAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fsys := newFaulty(t, dir)
		fsys.set(func(f *faulty) { f.rename = func() error { return syscall.EIO } })
		o := small(dir)
		o.FS, o.MaxFiles = fsys, 20
		l := open(t, o)
		for n := range 20 {
			putLong(t, l, fmt.Sprint(n))
			synctest.Wait()
		}
		lost := l.Stats().Lost
		if lost == 0 || !l.Stats().Failing {
			t.Fatalf("stats %+v: want records lost", l.Stats())
		}
		fsys.set(func(f *faulty) { f.rename = nil })
		time.Sleep(2 * lastRetry)
		putLong(t, l, "after")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		got := records(t, dir)
		gap := got[len(got)-2]
		if gap.Verdict != Lost || gap.Count != lost || got[len(got)-1].Name != "after" || len(got) != 20-int(lost)+2 {
			t.Errorf("lost %d, got %+v", lost, got)
		}
	})
}

func TestAnOldFileThatCannotBeRemovedIsNoOutage(t *testing.T) {
	dir := t.TempDir()
	fsys := newFaulty(t, dir)
	fsys.set(func(f *faulty) { f.remove = func() error { return errors.New("no") } })
	o := small(dir)
	o.FS = fsys
	l := open(t, o)
	for n := range 60 {
		putLong(t, l, fmt.Sprint(n))
	}
	eventually(t, "all written", func() bool { return l.Stats().Written == 60 })
	if s := l.Stats(); s.Files <= o.MaxFiles || s.LastError == "" || s.Failing {
		t.Errorf("stats %+v", s)
	}
	fsys.set(func(f *faulty) { f.remove = nil })
	for n := range 10 {
		putLong(t, l, fmt.Sprint(n))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); s.Files != o.MaxFiles || s.Lost != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestFilesThatSomebodyRemovedAreBegunAnew(t *testing.T) {
	dir := t.TempDir()
	l := open(t, small(dir))
	putLong(t, l, "gone")
	eventually(t, "written", func() bool { return l.Stats().Written == 1 })
	if err := os.Remove(filepath.Join(dir, currentName)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log is written again", func() bool {
		if l.Stats().Depth == 0 { // else the first of its files would be the oldest, and removed
			putLong(t, l, "x")
		}
		_, err := os.Stat(filepath.Join(dir, currentName))
		return err == nil && !l.Stats().Failing
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := records(t, dir); got[0].Verdict != Lost || got[0].Count == 0 {
		t.Errorf("first line %+v: want what was lost", got[0])
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no logger":    func(o *Options) { o.Logger = nil },
		"no node":      func(o *Options) { o.Node = "" },
		"no boot":      func(o *Options) { o.BootID = "" },
		"no directory": func(o *Options) { o.Dir = "" },
		"level":        func(o *Options) { o.Level = "most" },
		"sync":         func(o *Options) { o.Sync = "sometimes" },
		"queue":        func(o *Options) { o.Queue = -1 },
		"file size":    func(o *Options) { o.MaxFileBytes = 1 },
		"files":        func(o *Options) { o.MaxFiles = 1 },
		"rate":         func(o *Options) { o.HandshakesPerSecond = -1 },
	} {
		o := options(t.TempDir())
		change(&o)
		_, err := Open(o)
		if candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(options(file))
	wantReason(t, err, candor.ReasonDiskPressure)
}

func TestNoNameLeadsOutOfTheDirectory(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	if err := os.Symlink(outside, filepath.Join(dir, currentName)); err != nil {
		t.Fatal(err)
	}
	_, err := Open(options(dir))
	wantReason(t, err, candor.ReasonDiskPressure)
	if _, err := os.Stat(outside); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file outside was made: %v", err)
	}
}
