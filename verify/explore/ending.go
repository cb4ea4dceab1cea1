package explore

// ending is what a run notes for one promise of an end.
type ending struct {
	owed, done []bool
	from, to   []uint32
}

func (x *ending) note(owed, done bool) {
	x.owed, x.done = append(x.owed, owed), append(x.done, done)
}

func (x *ending) step(from, to uint32) {
	x.from, x.to = append(x.from, from), append(x.to, to)
}

// lost is the first state that owes the end and has no way to it.
func (x *ending) lost() (uint32, bool) {
	// first and into are the steps into each state, one after the other.
	first := make([]uint32, len(x.done)+1)
	for _, to := range x.to {
		first[to+1]++
	}
	for i := range x.done {
		first[i+1] += first[i]
	}
	into, filled := make([]uint32, len(x.to)), make([]uint32, len(x.done))
	for i, to := range x.to {
		into[first[to]+filled[to]] = x.from[i]
		filled[to]++
	}

	ends := make([]bool, len(x.done))
	var queue []uint32
	for n, done := range x.done {
		if done {
			ends[n] = true
			queue = append(queue, uint32(n))
		}
	}
	for len(queue) > 0 {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, from := range into[first[n]:first[n+1]] {
			if !ends[from] {
				ends[from] = true
				queue = append(queue, from)
			}
		}
	}
	for n, owed := range x.owed {
		if owed && !ends[n] {
			return uint32(n), true
		}
	}
	return 0, false
}

func (e *exploration[S, A]) checkEndings() {
	for i := range e.endings {
		if n, lost := e.endings[i].lost(); lost {
			e.report.Failure = &Failure{
				Broken: e.options.Endings[i].Name + ": from here no way without faults leads to its end",
				Steps:  e.path(n),
			}
			return
		}
	}
}
