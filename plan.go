package candor

import "encoding/json"

// Plan is what would come of manifests on one state: nothing of it is done, and
// applied at Token's revision it is what happens, as long as nobody else writes.
type Plan struct {
	// Token is the state that the plan is for.
	Token   Token           `json:"token"`
	Creates []PlannedChange `json:"creates,omitempty"`
	Updates []PlannedChange `json:"updates,omitempty"`
	Deletes []PlannedChange `json:"deletes,omitempty"`
	// Placements are where instances would go, Moves those that would end on one node
	// to begin on another, and Preemptions those that would be evicted for others.
	Placements  []PlannedPlacement  `json:"placements,omitempty"`
	Moves       []PlannedMove       `json:"moves,omitempty"`
	Preemptions []PlannedPreemption `json:"preemptions,omitempty"`
	// Unplaceable are those that would stay Pending.
	Unplaceable []Unplaceable `json:"unplaceable,omitempty"`
}

// Empty says that nothing would change.
func (p *Plan) Empty() bool {
	return len(p.Creates)+len(p.Updates)+len(p.Deletes)+len(p.Placements)+len(p.Moves)+len(p.Preemptions)+len(p.Unplaceable) == 0
}

type (
	// PlannedChange is a write; Fields are what an update changes. Because names the
	// object whose change leads to it, zero for one of the manifests.
	PlannedChange struct {
		Object  Ref           `json:"object"`
		Fields  []FieldChange `json:"fields,omitempty"`
		Because Ref           `json:"because,omitzero"`
	}

	// PlannedPlacement is a place and its score.
	PlannedPlacement struct {
		Instance Ref    `json:"instance"`
		Node     string `json:"node"`
		Score    int64  `json:"score"`
	}

	// PlannedMove is an instance that ends on one node and one that begins on another
	// in its stead.
	PlannedMove struct {
		Instance Ref    `json:"instance"`
		From     string `json:"from"`
		To       string `json:"to"`
	}

	// PlannedPreemption is an eviction, and for which instance.
	PlannedPreemption struct {
		Victim Ref    `json:"victim"`
		For    Ref    `json:"for"`
		Node   string `json:"node,omitempty"`
	}

	// Unplaceable is an instance that no node would take, and why.
	Unplaceable struct {
		Instance    Ref         `json:"instance"`
		Explanation Explanation `json:"explanation"`
	}
)

// FieldChange is one field that differs between two versions of an object. Was or Is
// is empty where the field was not there, or is not any more.
type FieldChange struct {
	// Path is from the object's root: "spec.replicas".
	Path string          `json:"path"`
	Was  json.RawMessage `json:"was,omitempty"`
	Is   json.RawMessage `json:"is,omitempty"`
}
