package determinism

import (
	"github.com/candor-plane/candor/client"
)

// Digest is what a node said that its state was at an index.
type Digest struct {
	Node  string `json:"node"`
	Boot  string `json:"boot,omitempty"`
	Index uint64 `json:"index"`
	// Digest is lower-case hexadecimal.
	Digest string `json:"digest"`
}

// Replay is the digest at an index, computed again.
type Replay struct {
	// From is what it was computed from: "log", or "snapshot@INDEX".
	From string `json:"from"`
	// Node is whose files they were.
	Node   string `json:"node,omitempty"`
	Index  uint64 `json:"index"`
	Digest string `json:"digest"`
}

// Turns is what a node says of the turns that it took.
type Turns struct {
	Node string `json:"node"`
	Boot string `json:"boot,omitempty"`
	// Index is how far it has applied; each turn up to there was checked.
	Index uint64 `json:"index"`
	// Faults and Violations count turns that were blocked.
	Faults     uint64 `json:"faults,omitempty"`
	Violations uint64 `json:"violations,omitempty"`
	// Records are the newest of them.
	Records []client.TurnRecord `json:"records,omitempty"`
}
