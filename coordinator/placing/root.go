package placing

import (
	"context"
	"encoding/json"

	"github.com/candor-plane/candor"
)

// Root takes what was decided, under the tenure. ERA_STALE and FORBIDDEN say that the
// right to decide has ended.
type Root interface {
	// Place puts a batch through in one turn, and returns the position after it. The
	// turn judges each placement by itself; what became of it is in the objects.
	Place(ctx context.Context, read candor.Token, batch []Placement) (revision uint64, err error)
	// Evict has victims deleted and the instance nominated, all or nothing; CONFLICT
	// where one of them, or a budget, has changed.
	Evict(ctx context.Context, e Eviction) (revision uint64, err error)
}

// Placement is what was decided about one instance, at the version named.
type Placement struct {
	Instance        candor.VersionRef
	UID             string
	Node, NodeUID   string // of verdict PLACED
	Nominated       string // of verdict NOMINATED
	Decision        json.RawMessage
	Reason, Message string // of the condition Scheduled
}

// Eviction makes a node free for an instance.
type Eviction struct {
	Read candor.Token
	// Instance with its status, as it is to be.
	Instance candor.VersionRef
	UID      string
	Status   json.RawMessage
	Victims  []Victim
	Budgets  []Budget
	Message  string
}

// Victim is an instance to be deleted, at the version named.
type Victim struct {
	Instance candor.VersionRef
	UID      string
}

// Budget is what the eviction leaves of a disruption budget, at the version named.
type Budget struct {
	Budget candor.VersionRef
	UID    string
	Status json.RawMessage
}
