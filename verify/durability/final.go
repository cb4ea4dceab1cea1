package durability

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// Final is a complete list, read after the run: what the cluster has in the end.
type Final struct {
	// Scope is the prefix of keys that it is complete for.
	Scope    string `json:"scope"`
	Revision uint64 `json:"revision"`
	// Node is who answered.
	Node  string         `json:"node,omitempty"`
	Items []history.Item `json:"items,omitempty"`
}

// Repeat is a write that was sent again under its request ID after it had been
// acknowledged, and what the second answer was.
type Repeat struct {
	Client    string       `json:"client"`
	RequestID string       `json:"requestID"`
	Key       string       `json:"key,omitempty"`
	First     candor.Token `json:"first"`
	// Again is the token of the second acknowledgement; zero where that was an error.
	Again   candor.Token  `json:"again,omitzero"`
	Reason  candor.Reason `json:"reason,omitempty"`
	Message string        `json:"message,omitempty"`
	history.Stamp
}
