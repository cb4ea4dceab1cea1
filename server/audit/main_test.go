package audit

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	candor "github.com/candor-plane/candor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options are those of a log that records everything.
func options(dir string) Options {
	return Options{
		Dir: dir, Node: "n1", NodeID: "id-1", BootID: "boot-1",
		Level: LevelAll, Logger: hclog.NewNullLogger(),
	}
}

func open(t *testing.T, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// put records one event under that name.
func put(t *testing.T, l *Log, name string) {
	t.Helper()
	ticket, err := l.Reserve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ticket.Commit(Record{Name: name, Verdict: Allowed})
}

// parsed is a line as a reader sees it.
type parsed struct {
	Time      time.Time `json:"time"`
	Sequence  uint64    `json:"sequence"`
	Name      string    `json:"name"`
	Source    string    `json:"source"`
	Method    string    `json:"method"`
	Verdict   Verdict   `json:"verdict"`
	Message   string    `json:"message"`
	Count     uint64    `json:"count"`
	Unsynced  uint64    `json:"unsynced"`
	Since     time.Time `json:"since"`
	Cut       []string  `json:"cut"`
	RequestID string    `json:"requestId"`
}

func parse(t *testing.T, line string) parsed {
	t.Helper()
	var p parsed
	if err := json.Unmarshal([]byte(line), &p); err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	return p
}

func parseAll(t *testing.T, lines []string) []parsed {
	t.Helper()
	var all []parsed
	for _, line := range lines {
		all = append(all, parse(t, line))
	}
	return all
}

func names(records []parsed) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Name)
	}
	return all
}

// fileLines are the lines of all files of the log, oldest first.
func fileLines(t *testing.T, dir string) []string {
	t.Helper()
	rotated, err := filepath.Glob(filepath.Join(dir, "audit-*.log"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(rotated)
	var text strings.Builder
	for _, name := range append(rotated, filepath.Join(dir, currentName)) {
		b, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		text.Write(b)
	}
	lines := strings.SplitAfter(text.String(), "\n")
	if last := lines[len(lines)-1]; last != "" {
		t.Fatalf("the last line has no end: %q", last)
	}
	return lines[:len(lines)-1]
}

func records(t *testing.T, dir string) []parsed {
	t.Helper()
	return parseAll(t, fileLines(t, dir))
}

// eventually polls: for tests outside of virtual time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		}
	}
}

func wantReason(t *testing.T, err error, want candor.Reason) {
	t.Helper()
	if err == nil || candor.ReasonOf(err) != want {
		t.Fatalf("error %v: want reason %s", err, want)
	}
}

// faulty is a directory that fails where a test says so. A nil hook is no fault.
type faulty struct {
	FS
	mu     sync.Mutex
	write  func(p []byte) (int, error) // how many bytes get through, and the error
	sync   func() error
	rename func() error
	remove func() error
}

func newFaulty(t *testing.T, dir string) *faulty {
	t.Helper()
	d, err := OpenDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &faulty{FS: d}
}

func (f *faulty) set(change func(*faulty)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func hook[F any](f *faulty, of func(*faulty) F) F {
	f.mu.Lock()
	defer f.mu.Unlock()
	return of(f)
}

func (f *faulty) Append(name string) (File, error) {
	file, err := f.FS.Append(name)
	if err != nil {
		return nil, err
	}
	return faultyFile{file, f}, nil
}

func (f *faulty) Rename(from, to string) error {
	if fail := hook(f, func(f *faulty) func() error { return f.rename }); fail != nil {
		if err := fail(); err != nil {
			return err
		}
	}
	return f.FS.Rename(from, to)
}

func (f *faulty) Remove(name string) error {
	if fail := hook(f, func(f *faulty) func() error { return f.remove }); fail != nil {
		if err := fail(); err != nil {
			return err
		}
	}
	return f.FS.Remove(name)
}

type faultyFile struct {
	File
	of *faulty
}

func (f faultyFile) Write(p []byte) (int, error) {
	fail := hook(f.of, func(f *faulty) func([]byte) (int, error) { return f.write })
	if fail == nil {
		return f.File.Write(p)
	}
	n, err := fail(p)
	if n > 0 {
		if _, err := f.File.Write(p[:n]); err != nil {
			return 0, err
		}
	}
	return n, err
}

func (f faultyFile) Sync() error {
	if fail := hook(f.of, func(f *faulty) func() error { return f.sync }); fail != nil {
		if err := fail(); err != nil {
			return err
		}
	}
	return f.File.Sync()
}
