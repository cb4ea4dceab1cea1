package disk

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"

	"github.com/candor-plane/candor"
)

// The files of a server's directory that matter most, as patterns below it.
const (
	Segments  = "raft/wal/*.wal"
	Snapshots = "raft/snapshots/*.snap"
)

// FlipBit is data with one bit turned at a byte; from the end where at is negative.
func FlipBit(data []byte, at int) []byte {
	if at < 0 {
		at += len(data)
	}
	out := bytes.Clone(data)
	out[at] ^= 0x10
	return out
}

// Torn is what Tear wrote.
type Torn struct {
	path  string
	at    int64
	trace []byte
}

// Tear has the newest segment of a log end as a crash in the middle of a write leaves
// it: after all that was promised comes the beginning of an entry, of which the rest
// and the mark of a whole write are missing. The server that it belongs to must not run.
func Tear(data string) (*Torn, error) {
	path, err := Newest(data, Segments)
	if err != nil {
		return nil, err
	}
	t := &Torn{path: path}
	err = Mangle(path, func(segment []byte) []byte {
		const frame, entry = 8, 1 // a frame's header is of a type, three zeros, and a length
		at := (len(bytes.TrimRight(segment, "\x00")) + frame - 1) / frame * frame
		t.at = int64(at)
		t.trace = append([]byte{entry, 0, 0, 0, 0, 1, 0, 0}, bytes.Repeat([]byte{0xa5}, 5*frame)...)
		if len(segment)-at < 2*len(t.trace) {
			t.trace = nil
			return segment
		}
		return slices.Concat(segment[:at], t.trace, segment[at+len(t.trace):])
	})
	if err == nil && t.trace == nil {
		err = candor.Errorf(candor.ReasonUnavailable, "%s is full: there is no room for a torn write", path)
	}
	return t, err
}

// Removed says whether the torn write is gone from the log.
func (t *Torn) Removed() (bool, error) {
	f, err := os.Open(t.path)
	if err != nil {
		return false, candor.Wrap("disk", err)
	}
	defer f.Close()
	is := make([]byte, len(t.trace))
	if _, err := f.ReadAt(is, t.at); err != nil {
		return false, candor.Wrap("disk", err)
	}
	return !bytes.Equal(is, t.trace), nil
}

// Newest is the newest file in a server's directory that the pattern fits, by its
// name: those of segments and snapshots count up. NOT_FOUND where there is none.
func Newest(data, pattern string) (string, error) {
	found, err := filepath.Glob(filepath.Join(data, pattern))
	if err != nil {
		return "", candor.Wrap("disk", err)
	}
	if len(found) == 0 {
		return "", candor.Errorf(candor.ReasonNotFound, "there is no %s in %s", pattern, data)
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}

// Mangle makes another file of a file. The server that it belongs to must not run.
func Mangle(path string, how func([]byte) []byte) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return candor.Wrap("disk", err)
	}
	if len(data) == 0 {
		return candor.Errorf(candor.ReasonNotFound, "%s is empty: there is nothing to damage", path)
	}
	return candor.Wrap("disk", os.WriteFile(path, how(data), 0o600))
}
