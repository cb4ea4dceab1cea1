package datadir

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
)

// damagedDir is a directory with something in each of its files: several
// segments, a snapshot, a vote, and a log that begins after the first entry.
func damagedDir(t testing.TB, kind LogStore, clean bool) (path string, want contents) {
	t.Helper()
	path = t.TempDir()
	d := mustOpen(t, path, testOptions(kind))
	fill(t, d, 1, 90, 2)
	takeSnapshot(t, d, 50, 2)
	if err := d.Log().DeleteRange(1, 25); err != nil {
		t.Fatal(err)
	}
	fill(t, d, 91, 110, 4)
	if err := d.Stable().Set([]byte("LastVoteCand"), []byte("127.0.0.1:1")); err != nil {
		t.Fatal(err)
	}
	want = mustRead(t, d)
	stop := d.Close
	if clean {
		stop = d.CloseClean
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	return path, want
}

// inMemory makes temporary directories of the test where a sync costs nothing.
func inMemory(t *testing.T) {
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm")
	}
}

// offsets are where to damage a file: its beginning, its written end, and a
// spread.
func offsets(data []byte, rng *rand.Rand) []int {
	var at []int
	end := len(strings.TrimRight(string(data), "\x00"))
	for i := range data {
		if i < 48 || i > end-32 && i < end+16 {
			at = append(at, i)
		}
	}
	spread := 200
	if testing.Short() {
		spread = 20
	}
	for range spread {
		if end > 0 {
			at = append(at, rng.IntN(end))
		}
	}
	return append(at, len(data)-1)
}

// Every flipped bit is either refused, by the name of the file, or changes
// nothing that raft would rely on.
func TestAFlippedBitIsRefusedByNameOrHarmless(t *testing.T) {
	inMemory(t)
	kinds(t, func(t *testing.T, kind LogStore) {
		for _, clean := range []bool{true, false} {
			t.Run(fmt.Sprintf("clean=%v", clean), func(t *testing.T) {
				origin, want := damagedDir(t, kind, clean)
				path := copyDir(t, origin)
				for _, file := range files(t, origin) {
					data, err := os.ReadFile(filepath.Join(origin, file))
					if err != nil {
						t.Fatal(err)
					}
					rng := rand.New(rand.NewPCG(1, uint64(len(data))))
					refused, harmless := 0, 0
					for _, at := range offsets(data, rng) {
						bit := byte(1) << rng.IntN(8)
						if damage(t, origin, path, file, data, at, bit, kind, want) {
							refused++
						} else {
							harmless++
						}
					}
					t.Logf("%-60s %6d bytes: %4d refused, %4d harmless", file, len(data), refused, harmless)
				}
			})
		}
	})
}

// damage flips one bit and says whether the directory was refused for it.
func damage(t *testing.T, origin, path, file string, data []byte, at int, bit byte, kind LogStore, want contents) bool {
	t.Helper()
	restore(t, origin, path)
	flipped := append([]byte(nil), data...)
	flipped[at] ^= bit
	if err := os.WriteFile(filepath.Join(path, file), flipped, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path, testOptions(kind))
	var got contents
	if err == nil {
		got, err = read(d)
		if closed := d.Close(); closed != nil {
			t.Fatal(closed)
		}
	}
	if err == nil {
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s byte %d bit %02x: served something else:\n%s", file, at, bit, cmp.Diff(want, got))
		}
		return false
	}
	if r := candor.ReasonOf(err); r != candor.ReasonDataCorrupt && r != candor.ReasonDataForeign {
		t.Errorf("%s byte %d bit %02x: refused as %v", file, at, bit, err)
	}
	if !strings.Contains(err.Error(), filepath.Join(path, file)) {
		t.Errorf("%s byte %d bit %02x: refused without its name: %v", file, at, bit, err)
	}
	return true
}

// restore makes path a copy of origin again.
func restore(t testing.TB, origin, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(path, os.DirFS(origin)); err != nil {
		t.Fatal(err)
	}
}

// mayBeCut: lock and ballast hold nothing, and bbolt files end in pages that
// are free.
func mayBeCut(file string, keep, size int) bool {
	switch filepath.Ext(file) {
	case ".db":
		return keep >= size/2
	default:
		return filepath.Base(file) == lockName || filepath.Base(file) == ballastName
	}
}

// A file cut short is refused by name, unless only free pages are gone.
func TestATruncatedFileIsRefusedByName(t *testing.T) {
	inMemory(t)
	kinds(t, func(t *testing.T, kind LogStore) {
		origin, want := damagedDir(t, kind, true)
		path := copyDir(t, origin)
		for _, file := range files(t, origin) {
			data, err := os.ReadFile(filepath.Join(origin, file))
			if err != nil {
				t.Fatal(err)
			}
			for _, keep := range []int{0, 1, len(data) / 3, len(data) / 2, len(data) - 4096, len(data) - 1} {
				if keep < 0 || keep >= len(data) {
					continue
				}
				restore(t, origin, path)
				if err := os.WriteFile(filepath.Join(path, file), data[:keep], 0o600); err != nil {
					t.Fatal(err)
				}
				d, err := Open(path, testOptions(kind))
				if err == nil {
					got, readErr := read(d)
					d.Close()
					if readErr == nil && !reflect.DeepEqual(want, got) {
						t.Errorf("%s cut to %d of %d: served something else:\n%s", file, keep, len(data), cmp.Diff(want, got))
					}
					err = readErr
				}
				if err == nil {
					if mayBeCut(file, keep, len(data)) {
						continue
					}
					t.Errorf("%s cut to %d of %d: accepted", file, keep, len(data))
					continue
				}
				if candor.ReasonOf(err) != candor.ReasonDataCorrupt || !strings.Contains(err.Error(), filepath.Join(path, file)) {
					t.Errorf("%s cut to %d of %d: %v", file, keep, len(data), err)
				}
			}
		}
	})
}

// The free pages of a bbolt file hold older states of the log. Whatever page
// the root is made to name instead, the older state is not served.
func TestAnOlderStateInFreePagesIsRefused(t *testing.T) {
	inMemory(t)
	origin, want := damagedDir(t, BoltDB, false)
	path := copyDir(t, origin)
	file := filepath.Join(raftName, boltLogName)
	data, err := os.ReadFile(filepath.Join(origin, file))
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	refused := 0
	for at := 2 * page; ; at++ {
		next := strings.Index(string(data[at:]), boltLogBucket)
		if next < 0 {
			break
		}
		at += next
		for id := range len(data) / page {
			changed := append([]byte(nil), data...)
			copy(changed[at+len(boltLogBucket):], []byte{byte(id), byte(id >> 8), 0, 0, 0, 0, 0, 0})
			restore(t, origin, path)
			if err := os.WriteFile(filepath.Join(path, file), changed, 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := Open(path, testOptions(BoltDB))
			if err != nil {
				refused++
				continue
			}
			if diff := cmp.Diff(want, mustRead(t, d)); diff != "" {
				t.Errorf("root page at %d names page %d: served something else:\n%s", at, id, diff)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if refused == 0 {
		t.Error("no change was refused: the root page was not found")
	}
}
