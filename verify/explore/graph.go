package explore

// graph is what a run notes for one goal: which states owe it and have it not, and
// every step, those of state n at starts[n] to starts[n+1]. A step takes 8 bytes.
type graph struct {
	unmet            []bool
	starts, to, does []uint32
}

func (g *graph) note(unmet bool) { g.unmet = append(g.unmet, unmet) }

// begin is called before the steps of each state, in the order of the states.
func (g *graph) begin() { g.starts = append(g.starts, uint32(len(g.to))) }

func (g *graph) step(to, does uint32) { g.to, g.does = append(g.to, to), append(g.does, does) }

// steps are the numbers of the steps of a state.
func (g *graph) steps(n uint32) (from, end uint32) {
	if int(n)+1 == len(g.starts) {
		return g.starts[n], uint32(len(g.to))
	}
	return g.starts[n], g.starts[n+1]
}

// can is what may be done in a state, be it by a step that leaves the search.
func (g *graph) can(n uint32) uint32 {
	var bits uint32
	for from, end := g.steps(n); from < end; from++ {
		bits |= g.does[from]
	}
	return bits &^ faulty
}

// search looks for the fair cycles of a graph: by strongly connected components for
// weak fairness, and where a component starves what is strongly fair, by those of what
// is left without the states where that is possible (Emerson and Lei, 1987).
type search struct {
	*graph
	weak, strong uint32

	// part is the set that a state is looked at in, 0 for none; comp its component.
	part, comp []uint32
	parts      uint32
	index, low []uint32

	owing, components int
	fair              [][]uint32
}

func (g *graph) search(weak, strong uint32) *search {
	n := len(g.unmet)
	s := &search{graph: g, weak: weak, strong: strong, part: make([]uint32, n), comp: make([]uint32, n), index: make([]uint32, n), low: make([]uint32, n)}
	var all []uint32
	for i, unmet := range g.unmet {
		if unmet {
			all = append(all, uint32(i))
		}
	}
	s.owing = len(all)
	for work := [][]uint32{all}; len(work) > 0; {
		set := work[len(work)-1]
		work = work[:len(work)-1]
		s.parts++
		for _, n := range set {
			s.part[n] = s.parts
		}
		var rests [][]uint32
		s.connected(set, func(component []uint32) {
			if rest := s.judge(component); len(rest) > 0 {
				rests = append(rests, rest)
			}
		})
		work = append(work, rests...)
	}
	return s
}

// judge keeps a component that is fair, and returns what to look at of one that may
// hold a fair cycle and is none as a whole.
func (s *search) judge(component []uint32) (rest []uint32) {
	s.components++
	for _, n := range component {
		s.comp[n] = uint32(s.components)
	}
	inside, ever, always := s.done(component)
	if s.weak&always&^inside != 0 {
		return nil
	}
	starved := s.strong & ever &^ inside
	if starved == 0 {
		s.fair = append(s.fair, append([]uint32(nil), component...))
		return nil
	}
	for _, n := range component {
		if s.can(n)&starved == 0 {
			rest = append(rest, n)
		}
	}
	return rest
}

// done is what the steps inside a component do, and what can be done in one of its
// states, and in all of them.
func (s *search) done(component []uint32) (inside, ever, always uint32) {
	always = ^faulty
	for _, n := range component {
		can := s.can(n)
		ever, always = ever|can, always&can
		for from, end := s.steps(n); from < end; from++ {
			if s.inside(n, from) {
				inside |= s.does[from]
			}
		}
	}
	return inside, ever, always
}

// inside says whether a step from n stays in its component and is no fault.
func (s *search) inside(n, step uint32) bool {
	to := s.to[step]
	return s.does[step]&faulty == 0 && s.unmet[to] && s.comp[to] == s.comp[n]
}

// connected visits the strongly connected components of a set, without faults (Tarjan,
// 1972, with a stack of its own).
func (s *search) connected(set []uint32, visit func(component []uint32)) {
	for _, n := range set {
		s.index[n] = 0
	}
	const out = ^uint32(0)
	type frame struct{ n, next, end uint32 }
	var frames []frame
	var open []uint32
	met := uint32(0)
	enter := func(n uint32) {
		met++
		s.index[n], s.low[n] = met, met
		open = append(open, n)
		from, end := s.steps(n)
		frames = append(frames, frame{n, from, end})
	}
	for _, root := range set {
		if s.index[root] != 0 {
			continue
		}
		part := s.part[root]
		enter(root)
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			if f.next < f.end {
				step := f.next
				f.next++
				to := s.to[step]
				switch {
				case s.does[step]&faulty != 0 || s.part[to] != part:
				case s.index[to] == 0:
					enter(to)
				case s.index[to] != out:
					s.low[f.n] = min(s.low[f.n], s.index[to])
				}
				continue
			}
			n := f.n
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				above := &frames[len(frames)-1]
				s.low[above.n] = min(s.low[above.n], s.low[n])
			}
			if s.low[n] != s.index[n] {
				continue
			}
			at := len(open) - 1
			for open[at] != n {
				at--
			}
			component := open[at:]
			open = open[:at]
			for _, m := range component {
				s.index[m] = out
			}
			visit(component)
		}
	}
}
