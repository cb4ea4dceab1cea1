package coverage

import (
	"slices"

	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// Summary is what a coverage comes to.
type Summary struct {
	Lifecycles []Line `json:"lifecycles"`
	// Outside are the steps that were seen and that nobody declared: each is a failure,
	// of the declaration or of the product.
	Outside []Seen `json:"outside,omitempty"`
	// Astray are the steps that the explorer takes and that nobody declared.
	Astray []Reached `json:"astray,omitempty"`
	Chance
}

// Line is one lifecycle.
type Line struct {
	Lifecycle lifecycle.Name `json:"lifecycle"`
	Of        string         `json:"of"`
	Declared  int            `json:"declared"`
	// Reached by the explorer; Explored is false where no model is of the lifecycle.
	Reached  int  `json:"reached"`
	Explored bool `json:"explored"`
	// Seen is how many of the declared steps each source saw, Any how many some did.
	Seen map[Source]int `json:"seen"`
	Any  int            `json:"seenByAny"`
	// Unknown are the steps that the explorer reaches and nobody saw; Unseen those that
	// are declared, and were neither.
	Unknown []Reached `json:"unknown,omitempty"`
	Unseen  []string  `json:"unseen,omitempty"`
	Chance
}

// Chance is the estimate of Good and Turing: of all observations, the share of those that
// are the only one of their step.
type Chance struct {
	Observations uint64 `json:"observations"`
	Singletons   uint64 `json:"singletons"`
	// Estimate is the chance that the next observation shows a step that no observation
	// has shown; 1 where nothing was observed.
	Estimate float64 `json:"chanceOfNew"`
}

func (c *Chance) add(count uint64) {
	c.Observations += count
	if count == 1 {
		c.Singletons++
	}
}

func (c *Chance) settle() {
	c.Estimate = 1
	if c.Observations > 0 {
		c.Estimate = float64(c.Singletons) / float64(c.Observations)
	}
}

// Failed says that something was seen, or reached, that no lifecycle declares.
func (s *Summary) Failed() bool { return len(s.Outside) > 0 || len(s.Astray) > 0 }

// Unknown counts the steps of the unknown region.
func (s *Summary) Unknown() int {
	n := 0
	for i := range s.Lifecycles {
		n += len(s.Lifecycles[i].Unknown)
	}
	return n
}

// Summary holds what was seen against what is declared and what the explorer reaches.
func (c *Coverage) Summary() Summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Summary{Outside: c.outside()}
	counts := map[string]uint64{}
	for key, t := range c.seen {
		counts[key.step] += t.count
	}
	for _, n := range counts {
		s.add(n)
	}
	s.settle()
	declared := declaredSteps()
	for _, step := range sorted(c.reached) {
		if !declared[step] {
			s.Astray = append(s.Astray, c.reached[step])
		}
	}
	explored := map[lifecycle.Name]bool{}
	for step := range c.reached {
		if x, err := lifecycle.Parse(step); err == nil {
			explored[x.Lifecycle] = true
		}
	}
	for _, l := range lifecycle.All() {
		s.Lifecycles = append(s.Lifecycles, c.line(&l, counts, explored[l.Name]))
	}
	return s
}

func (c *Coverage) line(l *lifecycle.Lifecycle, counts map[string]uint64, explored bool) Line {
	line := Line{Lifecycle: l.Name, Of: l.Of, Declared: len(l.Steps), Explored: explored, Seen: map[Source]int{}}
	for i := range l.Steps {
		step := l.Step(&l.Steps[i]).String()
		for _, source := range Sources() {
			if c.seen[seenKey{step, source}] != nil {
				line.Seen[source]++
			}
		}
		reached, isReached := c.reached[step]
		if isReached {
			line.Reached++
		}
		switch {
		case counts[step] > 0:
			line.Any++
			line.add(counts[step])
		case isReached:
			line.Unknown = append(line.Unknown, reached)
		default:
			line.Unseen = append(line.Unseen, step)
		}
	}
	line.settle()
	slices.SortFunc(line.Unknown, compareReached)
	return line
}
