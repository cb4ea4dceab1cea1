package evidence

import (
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// Name is one of the checks.
type Name string

// The checks, in the order in which they run and are reported.
const (
	Linearizability Name = "linearizability"
	Staleness       Name = "staleness"
	Sessions        Name = "sessions"
	Watches         Name = "watches"
	Durability      Name = "durability"
	Tenures         Name = "tenures"
	Placements      Name = "placements"
	Determinism     Name = "determinism"
	Invariants      Name = "invariants"
	// Load is that enough was recorded and the faults bit; it finds no violation.
	Load Name = "load"
)

// Names are all that may be demanded.
var Names = []Name{Linearizability, Staleness, Sessions, Watches, Durability, Tenures, Placements, Determinism, Invariants}

// Demands are what a run must have been worth to say PASS. The zero value runs every
// check that has something to check, and demands none.
type Demands struct {
	// Least is how many items a property that has any must have been checked on; 1
	// when 0.
	Least int
	// Demanded are checks that must have checked so many items, over all their
	// properties: without them the run is INCONCLUSIVE. 0 is 1.
	Demanded map[Name]int
	// Only runs these checks alone; nil runs all.
	Only []Name
	// Load is what the operations must have been; nil demands nothing.
	Load *history.Load
	// Search bounds the search for an order without tokens; 0 is history.DefaultSearch.
	Search time.Duration
}

// Validate refuses names that no check has, with reason INVALID.
func (d Demands) Validate() error {
	asked := slices.Clone(d.Only)
	for name := range d.Demanded {
		asked = append(asked, name)
	}
	slices.Sort(asked)
	for _, name := range asked {
		if !slices.Contains(Names, name) {
			return candor.Errorf(candor.ReasonInvalid, "there is no check %q: want one of %v", name, Names)
		}
	}
	return nil
}

func (d Demands) runs(name Name) bool { return d.Only == nil || slices.Contains(d.Only, name) }
