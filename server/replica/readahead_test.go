package replica

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// manyBlocks is the snapshot of a state that takes more blocks than are read
// ahead.
func manyBlocks(t *testing.T) []byte {
	t.Helper()
	machine := fsm.New(fsm.Config{ClusterID: "c"})
	snapshot := machine.Snapshot()
	defer snapshot.Release()
	var whole bytes.Buffer
	if _, err := snapshot.WriteTo(&whole); err != nil {
		t.Fatal(err)
	}
	blocks, err := fsm.ReadBlocks(bytes.NewReader(whole.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer blocks.Close()
	if _, err := blocks.Next(); err != nil {
		t.Fatal(err)
	}
	// A small state is one block; the reader does not look into blocks.
	head, _, _ := bytes.Cut(whole.Bytes(), []byte("\n"))
	block := whole.Bytes()[len(head)+1:]
	return append(whole.Bytes(), bytes.Repeat(block, 4*blocksAhead)...)
}

// What is read ahead is what reading it in step yields, to the same end.
func TestReadingAheadYieldsTheSameBlocks(t *testing.T) {
	data := manyBlocks(t)
	for _, c := range []struct {
		name string
		data []byte
		end  candor.Reason
	}{
		{"whole", data, ""},
		{"cut short", data[:len(data)-9], candor.ReasonDataCorrupt},
		{"damaged", append(bytes.Clone(data[:len(data)-1]), data[len(data)-1]^1), candor.ReasonDataCorrupt},
	} {
		t.Run(c.name, func(t *testing.T) {
			step, err := fsm.ReadBlocks(bytes.NewReader(c.data))
			if err != nil {
				t.Fatal(err)
			}
			defer step.Close()
			ahead, err := newReadAhead(bytes.NewReader(c.data))
			if err != nil {
				t.Fatal(err)
			}
			defer ahead.close()
			for n := 0; ; n++ {
				want, wantErr := step.Next()
				got, gotErr := ahead.Next()
				if !bytes.Equal(want, got) || (wantErr == nil) != (gotErr == nil) || candor.ReasonOf(gotErr) != candor.ReasonOf(wantErr) {
					t.Fatalf("block %d: %d bytes and %v, want %d and %v", n, len(got), gotErr, len(want), wantErr)
				}
				if gotErr == nil {
					continue
				}
				if c.end == "" && !errors.Is(gotErr, io.EOF) || c.end != "" && candor.ReasonOf(gotErr) != c.end {
					t.Fatalf("ended with %v", gotErr)
				}
				if _, again := ahead.Next(); !errors.Is(again, gotErr) {
					t.Fatalf("after the end: %v, want %v again", again, gotErr)
				}
				return
			}
		})
	}
}

// A restore that fails early leaves nobody behind who reads on: goleak tells.
func TestReadingAheadEndsWithoutItsReader(t *testing.T) {
	ahead, err := newReadAhead(bytes.NewReader(manyBlocks(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ahead.Next(); err != nil {
		t.Fatal(err)
	}
	ahead.close()
	if _, err := newReadAhead(bytes.NewReader([]byte("something else"))); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
		t.Fatalf("no snapshot: %v", err)
	}
}
