package monitor

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Root is what a Monitor asks beside the copy of the objects. Answers are of this node's
// view.
type Root interface {
	// Beat is the newest heartbeat of a node by its uid, in cluster time, and for how long
	// it was promised to count.
	Beat(nodeUID string) (at int64, promised time.Duration, ok bool)
	// Tenures are of every duty that was ever held.
	Tenures() []tenure.Lineage
	// Standing are transitions past their deadlines; not known where this node cannot tell.
	Standing() (list []Standstill, known bool)
	// Findings are all objects of kind findings.candor.
	Findings() ([]Stored, error)
	// Replay decides again what a version of an instance came with.
	Replay(of candor.VersionRef, d *candor.Decision) candor.Replay
}
