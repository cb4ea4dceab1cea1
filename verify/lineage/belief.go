package lineage

import (
	"github.com/candor-plane/candor/verify/history"
)

// Belief is a time for which a holder surely believed that it holds a duty.
type Belief struct {
	Holder string        `json:"holder"`
	Duty   string        `json:"duty"`
	Era    uint64        `json:"era"`
	From   history.Stamp `json:"from"`
	// To is zero where it went on.
	To history.Stamp `json:"to,omitzero"`
}

// Act is an acknowledged write under a tenure.
type Act struct {
	Holder string `json:"holder"`
	Duty   string `json:"duty"`
	Era    uint64 `json:"era"`
	// Revision is that of the turn which it made.
	Revision uint64        `json:"revision"`
	Key      string        `json:"key,omitempty"`
	From     history.Stamp `json:"from,omitzero"`
	To       history.Stamp `json:"to,omitzero"`
}
