package watches

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// Start is a watch as it was asked for.
type Start struct {
	// Stream names the watch within the recording.
	Stream string          `json:"stream"`
	Kind   candor.KindName `json:"kind"`
	// Namespace and Name; empty watches every one.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Selector  string `json:"selector,omitempty"`
	// After: events strictly after this revision; 0 starts at the served revision,
	// which the first batch tells.
	After uint64 `json:"after,omitempty"`
	// Previous asks for the version before each event.
	Previous bool `json:"previous,omitempty"`
	// Resumes names the watch that this one goes on with.
	Resumes string `json:"resumes,omitempty"`
	history.Stamp
}

// Batch is what a watch delivered at once.
type Batch struct {
	Stream string `json:"stream"`
	// Revision: every matching event up to it was delivered.
	Revision uint64 `json:"revision"`
	// Bookmark: no events; the promise of Revision alone.
	Bookmark bool    `json:"bookmark,omitempty"`
	Events   []Event `json:"events,omitempty"`
	// Node is who served it and Token the position that it was served from, where it
	// says so.
	Node  string       `json:"node,omitempty"`
	Token candor.Token `json:"token,omitzero"`
	history.Stamp
}

// Event is one change as it was delivered.
type Event struct {
	Type     candor.EventType  `json:"type"`
	Revision uint64            `json:"revision"`
	Key      string            `json:"key"`
	Value    string            `json:"value,omitempty"`
	Version  uint64            `json:"version,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	Previous *Previous         `json:"previous,omitempty"`
}

// Previous is the version before an event, as it was delivered.
type Previous struct {
	Value   string            `json:"value,omitempty"`
	Version uint64            `json:"version,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
}

// End is how a watch ended: the error that it returned.
type End struct {
	Stream  string        `json:"stream"`
	Reason  candor.Reason `json:"reason,omitempty"`
	Message string        `json:"message,omitempty"`
	history.Stamp
}

// Stream is one watch whole.
type Stream struct {
	Start
	// Batches are in the order in which they came.
	Batches []Batch
	// End is nil while it went on.
	End *End
}

// Floor is a compaction that was acknowledged: every server that has come as far as
// Token refuses what is below Revision. Token is of any answer that came after it.
type Floor struct {
	Revision uint64       `json:"revision"`
	Token    candor.Token `json:"token"`
	history.Stamp
}
