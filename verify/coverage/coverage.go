package coverage

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// Source is who saw a step.
type Source string

// The sources. The explorer reaches steps, and sees none.
const (
	Simulation Source = "S"
	Bubble     Source = "B"
	Process    Source = "P"
	Journal    Source = "J"
)

// Sources are all of them, in the order in which they are shown.
func Sources() []Source { return []Source{Simulation, Bubble, Process, Journal} }

// Seen is how often a source saw a step.
type Seen struct {
	Step   string `json:"step"`
	Source Source `json:"source"`
	Count  uint64 `json:"count"`
	// First is one place where it was seen, and of what: the shortest text, and of those
	// the first in order, so that it does not depend on who saw what before whom.
	First string `json:"first,omitempty"`
}

// Reached is a step that the explorer takes, by a shortest path: the last step of the
// path is the one.
type Reached struct {
	Step string   `json:"step"`
	By   string   `json:"by"`
	Path []string `json:"path"`
}

// Coverage is what was seen and reached. Make one with New.
type Coverage struct {
	mu      sync.Mutex
	seen    map[seenKey]*tally
	reached map[string]Reached
}

type seenKey struct {
	step   string
	source Source
}

type tally struct {
	count uint64
	first string
}

// New returns one that has seen nothing.
func New() *Coverage {
	return &Coverage{seen: map[seenKey]*tally{}, reached: map[string]Reached{}}
}

// Add notes what a source saw at a place: a turn's index, a seed, a file.
func (c *Coverage) Add(source Source, place string, sights ...Sight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range sights {
		s := &sights[i]
		first := place
		if s.Of != "" {
			first += ", " + s.Of
		}
		c.note(s.String(), source, 1, first)
	}
}

// Reach notes a step that the explorer takes.
func (c *Coverage) Reach(r Reached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reach(r)
}

// Merge adds all that another one holds. The order of merges makes no difference.
func (c *Coverage) Merge(o *Coverage) {
	o.mu.Lock()
	file := o.file()
	o.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take(&file)
}

func (c *Coverage) take(f *file) {
	for _, s := range f.Seen {
		c.note(s.Step, s.Source, s.Count, s.First)
	}
	for _, r := range f.Reached {
		c.reach(r)
	}
}

func (c *Coverage) note(step string, source Source, count uint64, first string) {
	key := seenKey{step, source}
	t := c.seen[key]
	if t == nil {
		t = &tally{first: first}
		c.seen[key] = t
	} else if cmp.Or(cmp.Compare(len(first), len(t.first)), cmp.Compare(first, t.first)) < 0 {
		t.first = first
	}
	t.count += count
}

func (c *Coverage) reach(r Reached) {
	was, known := c.reached[r.Step]
	if !known || compareReached(r, was) < 0 {
		c.reached[r.Step] = r
	}
}

func compareReached(a, b Reached) int {
	return cmp.Or(cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.By, b.By), slices.Compare(a.Path, b.Path))
}

// outside are the steps seen that no lifecycle declares, in their order.
func (c *Coverage) outside() []Seen {
	declared := declaredSteps()
	var out []Seen
	for key, t := range c.seen {
		if !declared[key.step] {
			out = append(out, Seen{Step: key.step, Source: key.source, Count: t.count, First: t.first})
		}
	}
	slices.SortFunc(out, compareSeen)
	return out
}

func compareSeen(a, b Seen) int {
	return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Source, b.Source))
}

var declaredSteps = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, l := range lifecycle.All() {
		for i := range l.Steps {
			all[l.Step(&l.Steps[i]).String()] = true
		}
	}
	return all
})

func sorted[M ~map[K]V, K cmp.Ordered, V any](m M) []K { return slices.Sorted(maps.Keys(m)) }
