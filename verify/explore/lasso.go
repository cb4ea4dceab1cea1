package explore

import "slices"

// lasso is a state and the steps of a cycle from it; no steps are a state where
// nothing must happen.
type lasso struct {
	from  uint32
	edges []uint32
}

// candidates are how many states of fair components a lasso is tried from: the
// nearest ones.
const candidates = 64

// lasso is the shortest of those that begin in one of the nearest states of the fair
// components, and of the nearest state that it is fair to stay in. The way there is the
// shortest; the cycle goes by the nearest thing that is left to do for fairness.
func (s *search) lasso(depth func(uint32) int) lasso {
	var near []uint32
	home := map[uint32]int{}
	for i, component := range s.fair {
		for _, n := range component {
			home[n] = i
		}
		near = append(near, component...)
	}
	slices.Sort(near)
	var best lasso
	length := -1
	try := func(l lasso) {
		if total := depth(l.from) + len(l.edges); length < 0 || total < length {
			best, length = l, total
		}
	}
	for i, n := range near {
		if edges, fair := s.alone(n); fair {
			try(lasso{n, edges})
			break
		}
		if i < candidates {
			try(lasso{n, s.tour(n, s.fair[home[n]])})
		}
	}
	return best
}

// alone says whether it is fair to stay in a state for ever, and by which steps.
func (s *search) alone(n uint32) (edges []uint32, fair bool) {
	todo := (s.weak | s.strong) & s.can(n)
	for step, end := s.steps(n); step < end; step++ {
		if s.to[step] == n && s.does[step]&faulty == 0 && s.does[step]&todo != 0 {
			edges, todo = append(edges, step), todo&^s.does[step]
		}
	}
	return edges, todo == 0
}

// tour leads from a state through all that fairness asks for and back.
func (s *search) tour(start uint32, component []uint32) []uint32 {
	inside, ever, _ := s.done(component)
	todo := s.weak | s.strong&ever&inside
	// What is weakly fair is also had where it is not possible.
	had := func(n uint32) uint32 { return s.weak &^ s.can(n) }
	todo &^= had(start)
	at := start
	var edges []uint32
	for todo != 0 {
		way := s.way(at, func(step, to uint32) bool { return (s.does[step]|had(to))&todo != 0 })
		if way == nil {
			panic("explore: a fair component that lacks what makes it fair")
		}
		for _, step := range way {
			todo &^= s.does[step] | had(s.to[step])
		}
		edges = append(edges, way...)
		at = s.to[way[len(way)-1]]
	}
	if at != start {
		edges = append(edges, s.way(at, func(_, to uint32) bool { return to == start })...)
	}
	return edges
}

// way is the shortest way inside a component whose last step is the one that is
// looked for; nil for none.
func (s *search) way(from uint32, last func(step, to uint32) bool) []uint32 {
	by := map[uint32]uint32{}  // the step into each state
	via := map[uint32]uint32{} // and where it came from
	back := func(n uint32) []uint32 {
		var steps []uint32
		for n != from {
			steps = append(steps, by[n])
			n = via[n]
		}
		slices.Reverse(steps)
		return steps
	}
	for queue := []uint32{from}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		for step, end := s.steps(n); step < end; step++ {
			to := s.to[step]
			if !s.inside(n, step) {
				continue
			}
			if last(step, to) {
				return append(back(n), step)
			}
			if _, met := by[to]; !met && to != from {
				by[to], via[to] = step, n
				queue = append(queue, to)
			}
		}
	}
	return nil
}
