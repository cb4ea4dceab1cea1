package disk

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/candor-plane/candor"
)

// segment puts the newest segment of a log into a directory.
func segment(t *testing.T, content []byte) (data, path string) {
	t.Helper()
	data = t.TempDir()
	path = filepath.Join(data, "raft", "wal", "2.wal")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{path: content, filepath.Join(filepath.Dir(path), "1.wal"): {1}} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data, path
}

func TestATornWriteFollowsWhatWasPromisedAndIsSeenToBeRemoved(t *testing.T) {
	promised := []byte("promised and more")
	whole := append(bytes.Clone(promised), make([]byte, 1000)...)
	data, path := segment(t, whole)
	torn, err := Tear(data)
	if err != nil {
		t.Fatal(err)
	}
	is, err := os.ReadFile(path)
	if err != nil || len(is) != len(whole) || !bytes.HasPrefix(is, promised) || bytes.Equal(is, whole) {
		t.Errorf("the segment is %q, %v", is, err)
	}
	if removed, err := torn.Removed(); removed || err != nil {
		t.Errorf("removed %t, %v, and nobody did", removed, err)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if removed, err := torn.Removed(); !removed || err != nil {
		t.Errorf("removed %t, %v", removed, err)
	}
}

func TestWhatCannotBeDamagedIsSaid(t *testing.T) {
	data, _ := segment(t, bytes.Repeat([]byte{1}, 100))
	if _, err := Tear(data); candor.ReasonOf(err) != candor.ReasonUnavailable {
		t.Errorf("a full segment: %v, want UNAVAILABLE", err)
	}
	if _, err := Newest(data, Snapshots); candor.ReasonOf(err) != candor.ReasonNotFound {
		t.Errorf("no snapshot: %v, want NOT_FOUND", err)
	}
}

func TestAFlippedBitIsOneBit(t *testing.T) {
	before := []byte{0, 0, 0}
	if after := FlipBit(before, -1); !bytes.Equal(after, []byte{0, 0, 0x10}) || before[2] != 0 {
		t.Errorf("%v became %v", before, after)
	}
}
