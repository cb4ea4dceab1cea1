package placements

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// Claim is the time for which a machine surely ran an instance's process, or a worker
// surely took itself for the one who runs it.
type Claim struct {
	// Instance is the uid: another instance of the same name is another claim.
	Instance string `json:"instance"`
	Name     string `json:"name,omitempty"`
	// Node is the machine, by the uid of its object or by its name, Session the
	// worker's on it.
	Node    string        `json:"node"`
	Session string        `json:"session,omitempty"`
	From    history.Stamp `json:"from"`
	// To is zero where it went on.
	To history.Stamp `json:"to,omitzero"`
}

// Decision is a decision that was taken again.
type Decision struct {
	ID string `json:"id"`
	// Instance is "namespace/name".
	Instance string `json:"instance,omitempty"`
	candor.Replay
}
