package gossip

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	candor "github.com/candor-plane/candor"
)

// openKeyring begins a ring in a folder of its own.
func openKeyring(t *testing.T, seed ...Key) *Keyring {
	t.Helper()
	return reopen(t, filepath.Join(t.TempDir(), "keyring.json"), seed...)
}

func reopen(t *testing.T, path string, seed ...Key) *Keyring {
	t.Helper()
	k, err := OpenKeyring(path, seed)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// fingerprints lists a ring, the primary first.
func fingerprints(k *Keyring) []string {
	var all []string
	for i, info := range k.Keys() {
		if info.Primary != (i == 0) {
			all = append(all, "misplaced")
		}
		all = append(all, info.Fingerprint)
	}
	return all
}

func must(t *testing.T, want bool) func(bool, error) {
	t.Helper()
	return func(got bool, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	}
}

func TestTheFileWinsOverTheSeedOnceItExists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	if _, err := OpenKeyring(path, nil); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Fatalf("neither file nor seed: %v", err)
	}
	a, b, c := NewKey(), NewKey(), NewKey()
	k := reopen(t, path, a, b, a)
	want := []string{a.Fingerprint(), b.Fingerprint()}
	if got := fingerprints(k); !slices.Equal(got, want) || len(k.Ignored()) != 0 {
		t.Errorf("begun with %v, ignored %v", got, k.Ignored())
	}
	if age := time.Since(k.Keys()[0].AddedAt); age < 0 || age > time.Minute {
		t.Errorf("added %v ago", age)
	}
	k = reopen(t, path, c, a)
	if got := fingerprints(k); !slices.Equal(got, want) || !slices.Equal(k.Ignored(), []string{c.Fingerprint()}) {
		t.Errorf("opened with %v, ignored %v", got, k.Ignored())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestADamagedFileIsRefusedAndLeftAsItIs(t *testing.T) {
	k := openKeyring(t, NewKey())
	content, err := os.ReadFile(k.path)
	if err != nil {
		t.Fatal(err)
	}
	half := content[:len(content)/2]
	if err := os.WriteFile(k.path, half, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = OpenKeyring(k.path, []Key{NewKey()})
	if candor.ReasonOf(err) != candor.ReasonDataCorrupt || !strings.Contains(err.Error(), k.path) {
		t.Errorf("error %v", err)
	}
	if now, _ := os.ReadFile(k.path); string(now) != string(half) {
		t.Error("the file was changed")
	}
}

func TestAFileThatOthersMayReadIsRefused(t *testing.T) {
	k := openKeyring(t, NewKey())
	if err := os.Chmod(k.path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyring(k.path, nil); candor.ReasonOf(err) != candor.ReasonInvalid || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("error %v", err)
	}
}

func TestEachChangeIsOnDiskAndMayBeRepeated(t *testing.T) {
	old, next := NewKey(), NewKey()
	k := openKeyring(t, old)
	durable := func(want ...Key) {
		t.Helper()
		var names []string
		for _, key := range want {
			names = append(names, key.Fingerprint())
		}
		if got := fingerprints(k); !slices.Equal(got, names) {
			t.Errorf("in effect %v, want %v", got, names)
		}
		if got := fingerprints(reopen(t, k.path)); !slices.Equal(got, names) {
			t.Errorf("on disk %v, want %v", got, names)
		}
		if library := k.library.GetKeys(); len(library) != len(want) || string(library[0]) != string(want[0].bytes()) {
			t.Errorf("the library has %d keys or another primary", len(library))
		}
	}
	for _, first := range []bool{true, false} {
		must(t, first)(k.Add(next))
		durable(old, next)
	}
	for _, first := range []bool{true, false} {
		must(t, first)(k.Use(next.Fingerprint()))
		durable(next, old)
	}
	for _, first := range []bool{true, false} {
		must(t, first)(k.Remove(old.Fingerprint()))
		durable(next)
	}
}

func TestAChangeThatCannotBeIsRefusedWithTheReason(t *testing.T) {
	primary, other := NewKey(), NewKey()
	k := openKeyring(t, primary)
	_, last := k.Remove(primary.Fingerprint())
	must(t, true)(k.Add(other))
	_, inUse := k.Remove(primary.Fingerprint())
	_, absent := k.Use(NewKey().Fingerprint())
	_, empty := k.Add(Key{})
	_, pasted := k.Use(other.Reveal())
	_, pastedToo := k.Remove(other.Reveal())
	for range MaxKeys - 2 {
		must(t, true)(k.Add(NewKey()))
	}
	_, full := k.Add(NewKey())
	for _, c := range []struct {
		err    error
		reason candor.Reason
		says   string
	}{
		{last, candor.ReasonConflict, "last"},
		{inUse, candor.ReasonConflict, "primary"},
		{absent, candor.ReasonNotFound, "add it"},
		{empty, candor.ReasonInvalid, "empty"},
		{pasted, candor.ReasonInvalid, "hex"},
		{pastedToo, candor.ReasonInvalid, "hex"},
		{full, candor.ReasonQuotaExceeded, "full"},
	} {
		if candor.ReasonOf(c.err) != c.reason || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%v, want %s with %q", c.err, c.reason, c.says)
		}
		if c.err != nil {
			checkSecret(t, other, c.err.Error())
		}
	}
	if got := k.Keys(); len(got) != MaxKeys || got[0].Fingerprint != primary.Fingerprint() {
		t.Errorf("the ring is now %v", got)
	}
}

// A failed write may have reached the disk or not. What is in effect stays, and
// the next call makes the file agree with what it answers.
func TestAFailedWriteLeavesTheRingAndIsMadeGoodByTheNextCall(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, reached := range map[string]bool{"before the rename": false, "after the rename": true} {
		t.Run(name, func(t *testing.T) {
			old, next := NewKey(), NewKey()
			k := openKeyring(t, old)
			fail := func(path string, content []byte) error {
				if reached {
					return errors.Join(replaceRingFile(path, content), broken)
				}
				return broken
			}
			k.replace = fail
			if _, err := k.Add(next); candor.ReasonOf(err) != candor.ReasonUnavailable || !errors.Is(err, broken) {
				t.Fatalf("error %v", err)
			}
			if got := fingerprints(k); !slices.Equal(got, []string{old.Fingerprint()}) || len(k.library.GetKeys()) != 1 {
				t.Errorf("in effect %v", got)
			}
			if _, err := k.Remove(next.Fingerprint()); candor.ReasonOf(err) != candor.ReasonUnavailable {
				t.Errorf("absent, the file unsure, the disk gone: %v", err)
			}
			k.replace = replaceRingFile
			must(t, false)(k.Remove(next.Fingerprint()))
			if got := fingerprints(reopen(t, k.path)); !slices.Equal(got, []string{old.Fingerprint()}) {
				t.Errorf("on disk %v, though the key was said to be absent", got)
			}
		})
	}
}

func TestAnInterruptedWriteLeavesTheOldFile(t *testing.T) {
	old, next := NewKey(), NewKey()
	k := openKeyring(t, old)
	if err := os.WriteFile(k.path+".new", []byte("half of a"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := fingerprints(reopen(t, k.path)); !slices.Equal(got, []string{old.Fingerprint()}) {
		t.Errorf("opened %v", got)
	}
	must(t, true)(k.Add(next))
	if got := fingerprints(reopen(t, k.path)); len(got) != 2 {
		t.Errorf("on disk %v", got)
	}
	if _, err := os.Stat(k.path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the draft is still there: %v", err)
	}
}

// Every step of a rotation on each of three servers is cut short by a crash
// before, or after, its write; at each moment every server must understand what
// every other one sends.
func TestEveryCrashPointOfARotationLeavesRingsThatUnderstandEachOther(t *testing.T) {
	old, next := NewKey(), NewKey()
	steps := []func(*Keyring) (bool, error){
		func(k *Keyring) (bool, error) { return k.Add(next) },
		func(k *Keyring) (bool, error) { return k.Use(next.Fingerprint()) },
		func(k *Keyring) (bool, error) { return k.Remove(old.Fingerprint()) },
	}
	crash := errors.New("crash")
	for name, write := range map[string]func(string, []byte) error{
		"before the write":           func(string, []byte) error { return crash },
		"between write and effect":   func(path string, content []byte) error { return errors.Join(replaceRingFile(path, content), crash) },
		"after the effect, not told": replaceRingFile,
	} {
		t.Run(name, func(t *testing.T) {
			servers := []*Keyring{openKeyring(t, old), openKeyring(t, old), openKeyring(t, old)}
			check := func() {
				t.Helper()
				for _, sender := range servers {
					for _, receiver := range servers {
						if !slices.Contains(fingerprints(receiver), sender.primary()) {
							t.Fatalf("one sends with %s, another has %v", sender.primary(), fingerprints(receiver))
						}
					}
				}
			}
			for _, step := range steps {
				for i := range servers {
					servers[i].replace = write
					if _, err := step(servers[i]); err != nil && !errors.Is(err, crash) {
						t.Fatal(err)
					}
					check()
					servers[i] = reopen(t, servers[i].path)
					check()
					if _, err := step(servers[i]); err != nil {
						t.Fatalf("repeated after the crash: %v", err)
					}
					check()
				}
			}
			for _, k := range servers {
				if got := fingerprints(k); !slices.Equal(got, []string{next.Fingerprint()}) {
					t.Errorf("rotated to %v", got)
				}
			}
		})
	}
}

// The library's readers walk the keys without a lock: under the race detector
// this fails if a removal moves keys beneath them. Keys differ in size so that a
// torn read would not go unnoticed without it either.
func TestReadersNeverSeeARingInBetween(t *testing.T) {
	sized := func(fill byte, size int) Key {
		material := make([]byte, size)
		for i := range material {
			material[i] = fill
		}
		return keyOf(material)
	}
	primary, kept := sized('p', 32), sized('k', 16)
	k := openKeyring(t, primary)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, key := range k.library.GetKeys() {
					for _, b := range key {
						if b != key[0] {
							t.Error("a key of two parts")
							return
						}
					}
				}
				_ = k.Keys()
			}
		})
	}
	for range 20 {
		for _, key := range []Key{sized('a', 24), kept, sized('b', 32)} {
			_, err := k.Add(key)
			if err != nil {
				t.Error(err)
			}
		}
		must(t, true)(k.Remove(sized('a', 24).Fingerprint()))
		if library := k.library.GetKeys(); len(library) != 3 || string(library[0]) != string(primary.bytes()) {
			t.Errorf("after a removal from the middle the library has %d keys", len(library))
		}
		must(t, true)(k.Remove(sized('b', 32).Fingerprint()))
	}
	close(stop)
	readers.Wait()
}
