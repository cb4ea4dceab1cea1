package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
)

func TestTrustOutlivesARestart(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path, testOptions(WAL))
	if got, err := d.Trust(); err != nil || got != (Trust{}) {
		t.Errorf("of a new directory: %+v, %v", got, err)
	}
	quarantine := &Quarantine{Index: 42, Digest: "00ff", Majority: "ff00", Since: time.Unix(1_700_000_000, 5).UTC()}
	for _, want := range []Trust{{Operator: true}, {Quarantine: quarantine}, {Operator: true, Quarantine: quarantine}, {}, {Operator: true}} {
		if err := d.SetTrust(want); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d = mustOpen(t, path, testOptions(WAL))
		got, err := d.Trust()
		got.CRC32C = ""
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

func TestTrustThatIsWholeAgainLeavesNoFile(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path, testOptions(WAL))
	before := files(t, path)
	// Twice: that there is none is fine.
	for range 2 {
		if err := d.SetTrust(Trust{Operator: true}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := d.SetTrust(Trust{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, files(t, path)); diff != "" {
				t.Errorf("files (-before +after):\n%s", diff)
			}
		}
	}
}

// TestDamagedTrustIsNamed: whatever byte is another, nobody takes the server for
// trusted, nor reads another quarantine than the one that was kept.
func TestDamagedTrustIsNamed(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path, testOptions(WAL))
	if err := d.SetTrust(Trust{Operator: true, Quarantine: &Quarantine{Index: 42, Digest: "00ff", Majority: "ff00"}}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(path, trustName)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := d.Trust()
		wantReason(t, err, candor.ReasonDataCorrupt, trustName)
	}
	for i := range whole {
		damaged := append([]byte{}, whole...)
		damaged[i] ^= 1
		spoil(damaged)
	}
	for _, n := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
		spoil(whole[:n])
	}
	spoil(append(append([]byte{}, whole...), '\n'))
}

// TestTrustThatCannotBeKeptIsAnError, and what was kept before is still there.
func TestTrustThatCannotBeKeptIsAnError(t *testing.T) {
	path := t.TempDir()
	full := errors.New("no space left on device")
	var at string
	o := testOptions(WAL)
	o.FS = failing{OS{}, func(op, name string) error {
		if base := filepath.Base(name); op == at && (base == trustName || base == trustName+tmpSuffix || op == "syncdir") {
			return full
		}
		return nil
	}}
	d := mustOpen(t, path, o)
	if err := d.SetTrust(Trust{Operator: true}); err != nil {
		t.Fatal(err)
	}
	for _, at = range []string{"open", "sync", "rename", "syncdir"} {
		if err := d.SetTrust(Trust{Operator: true, Quarantine: &Quarantine{Index: 42}}); !errors.Is(err, full) {
			t.Errorf("failing at %s: %v", at, err)
		}
	}
	at = "syncdir"
	if err := d.SetTrust(Trust{}); !errors.Is(err, full) {
		t.Errorf("removed without being durable: %v", err)
	}
	at = ""
	if err := d.SetTrust(Trust{Operator: true}); err != nil {
		t.Fatal(err)
	}
	at = "open"
	if _, err := d.Trust(); !errors.Is(err, full) {
		t.Errorf("read what cannot be: %v", err)
	}
	at = ""
}
