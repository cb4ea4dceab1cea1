package replay

import (
	"context"
	"encoding/hex"
	"io"
	"iter"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/transition"
)

// The types of entries that change the state. Raft has others.
const (
	Command       = "command"
	Configuration = "configuration"
)

// Entry is one entry of the log.
type Entry struct {
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	Type  string `json:"type"`
	// Data are a command's, Members a configuration's.
	Data    []byte   `json:"data,omitempty"`
	Members []Member `json:"members,omitempty"`
}

// Member is a member that a configuration makes.
type Member struct {
	ServerID string `json:"serverID"`
	Address  string `json:"address"`
	Voter    bool   `json:"voter"`
}

func (e *Entry) committed() fsm.Committed {
	c := fsm.Committed{Term: e.Term, Index: e.Index, Data: e.Data, Configuration: e.Type != Command}
	for _, m := range e.Members {
		c.Servers = append(c.Servers, transition.Server{ID: m.ServerID, Address: m.Address, Voter: m.Voter})
	}
	return c
}

// played says that the state machine gets the entry.
func (e *Entry) played() bool { return e.Type == Command || e.Type == Configuration }

// Source holds entries and snapshots of one node. Its iterators may be used one at a
// time.
type Source interface {
	Origin() Origin
	// Entries yields those from one index up to another, in order and without a gap, and
	// an error last where it cannot.
	Entries(ctx context.Context, from, to uint64) iter.Seq2[Entry, error]
	// Snapshot opens the contents of one that Origin names.
	Snapshot(ctx context.Context, id string) (io.ReadCloser, error)
}

// Origin is what a source holds.
type Origin struct {
	// Name is what people call it.
	Name      string `json:"name"`
	ClusterID string `json:"clusterID,omitempty"`
	NodeID    string `json:"nodeID,omitempty"`
	// First and Last are the log's, 0 and 0 for none.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Committed is the newest entry that is known to be; 0 where nothing says.
	Committed uint64     `json:"committed,omitempty"`
	Snapshots []Snapshot `json:"snapshots,omitempty"`
	Points    []Point    `json:"-"`
	// Missing says what could not be had, and why.
	Missing []string `json:"missing,omitempty"`
}

// Snapshot is a state that a source has: the one after the entry Index.
type Snapshot struct {
	ID    string `json:"id"`
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	Bytes int64  `json:"bytes,omitempty"`
}

// Point is a digest that somebody published of the state after an entry.
type Point struct {
	Index  uint64 `json:"index"`
	Digest Digest `json:"digest"`
	// By says who: a node, a snapshot, a file.
	By string `json:"by"`
}

// Digest identifies a state; see package fsm.
type Digest [16]byte

// DigestOf reads the bytes of a digest.
func DigestOf(b []byte) (Digest, error) {
	if len(b) != len(Digest{}) {
		return Digest{}, candor.Errorf(candor.ReasonInvalid, "a digest has %d bytes, want %d", len(b), len(Digest{}))
	}
	return Digest(b), nil
}

// ParseDigest reads the text of a digest: 32 hexadecimal digits.
func ParseDigest(text string) (Digest, error) {
	b, err := hex.DecodeString(text)
	if err != nil {
		return Digest{}, candor.Errorf(candor.ReasonInvalid, "digest %q: want 32 hexadecimal digits", text)
	}
	return DigestOf(b)
}

// String is the digest in hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes the digest in hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads them.
func (d *Digest) UnmarshalText(text []byte) error {
	parsed, err := ParseDigest(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// sorted are points in order of their indexes.
func sorted(points []Point) []Point {
	out := slices.Clone(points)
	slices.SortStableFunc(out, func(a, b Point) int { return int(min(max(int64(a.Index)-int64(b.Index), -1), 1)) })
	return out
}
