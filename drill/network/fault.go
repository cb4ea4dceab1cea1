package network

import "context"

// Fault is what befalls some directions until it is healed. Faults may overlap: a
// direction is cut as long as one of them cuts it.
type Fault struct {
	links *Links
	cut   bool
	shape Shape
	// directions are those that it still befalls; guarded by links.changing.
	directions []Direction
	before     map[Direction]Counters
}

// Heal ends it and sees to it that the directions which nothing else cuts deliver.
// They are mended whatever is returned; the context bounds the trying alone. It may
// be called again.
func (f *Fault) Heal(ctx context.Context) error {
	return f.links.end(ctx, func(other *Fault, _ Direction) bool { return other == f })
}

// Bite is what was counted on its directions since it began. Where faults
// overlap, it has the others' effects too.
func (f *Fault) Bite() Counters {
	var sum Counters
	for d, before := range f.before {
		if w, err := f.links.ways.way(d); err == nil {
			sum = sum.plus(w.counters().since(before))
		}
	}
	return sum
}
