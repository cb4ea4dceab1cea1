package command_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// FuzzEntry decodes arbitrary bytes as an entry, as they are and with the
// checksum that fits them: they are refused with a reason, or they are the
// encoding of what was decoded.
func FuzzEntry(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, seal(data)} {
			e, err := command.DecodeEntry(data)
			if err != nil {
				if r := candor.ReasonOf(err); r != candor.ReasonDataCorrupt && r != candor.ReasonFeatureLevel {
					t.Fatal(err)
				}
				continue
			}
			again, err := command.DecodeEntry(command.AppendEntry(nil, e))
			if err != nil {
				t.Fatalf("an entry that was decoded is refused when encoded again: %v", err)
			}
			if diff := cmp.Diff(e, again); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// FuzzCommand decodes arbitrary bytes as a command and applies them: they are
// refused with a reason, or decided by the turn, and decoding loses nothing
// that encoding keeps.
func FuzzCommand(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, again command.Command
		if err := command.DecodeCommand(data, &c); err != nil {
			if candor.ReasonOf(err) != candor.ReasonDataCorrupt {
				t.Fatal(err)
			}
			return
		}
		encoded := command.AppendCommand(nil, &c)
		if err := command.DecodeCommand(encoded, &again); err != nil {
			t.Fatalf("a command that was decoded is refused when encoded again: %v", err)
		}
		if diff := cmp.Diff(c, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if !bytes.Equal(encoded, command.AppendCommand(nil, &again)) {
			t.Fatalf("%x is not encoded the same twice", encoded)
		}
		put(t, data)
	})
}

// TestTheSeedsAreThePinnedBytes: the fuzzers begin at testdata/fuzz, which holds
// every sample, and grows by what they find.
func TestTheSeedsAreThePinnedBytes(t *testing.T) {
	var all [][]byte
	for _, s := range slices.Concat(samples(), plainWrites(), items()) {
		data := command.AppendCommand(nil, &s.command)
		all = append(all, data)
		wantSeed(t, "FuzzCommand", s.name, data)
		wantSeed(t, "FuzzEntry", s.name, command.AppendEntry(nil, entryOf(data)))
	}
	wantSeed(t, "FuzzEntry", "all", command.AppendEntry(nil, entryOf(all...)))
	wantSeed(t, "FuzzEntry", "none", command.AppendEntry(nil, entryOf()))
	wantSeed(t, "FuzzEntry", "unsealed", []byte{1, 7, 0, 0, 1, 1, 'a'})
}

func wantSeed(t *testing.T, target, name string, data []byte) {
	path := filepath.Join("testdata", "fuzz", target, strings.ToLower(name))
	want := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", data)
	if got, err := os.ReadFile(path); err == nil && string(got) == want {
		return
	}
	if !*update {
		t.Errorf("%s does not hold %s; write it with go test -update", path, name)
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
