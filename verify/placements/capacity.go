package placements

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// hold is what an instance takes of a node, or gives back, at a revision.
type hold struct {
	revision uint64
	nodeUID  string
	node     string
	needs    candor.Resources
	takes    bool
	// sure: it is known to happen at this revision, and not only to have happened by then.
	sure bool
	life *life
	step *step
}

// capacity checks that what live instances are known to hold of a node does not rise
// above what its worker reports. Less capacity than is held already is no violation: a
// worker can only report it. Where instances are missing, less is held than in truth, so
// that what is found is proof. The margin is the share of the fullest resource that was
// left where something was placed.
func (w *world) capacity(least int) history.Report {
	r := history.Report{Property: "no more is held of a node than it has"}
	holds := w.holds()
	held := map[string]candor.Resources{}
	holders := map[string][]*hold{}
	capacity := map[string]candor.Resources{}
	known := map[string]*report{}
	reports := w.reports
	for len(holds) > 0 {
		revision := holds[0].revision
		for len(reports) > 0 && reports[0].revision <= revision {
			known[reports[0].uid], capacity[reports[0].uid] = &reports[0], reports[0].capacity
			reports = reports[1:]
		}
		n := 0
		before := map[string]candor.Resources{}
		raised := map[string]*hold{}
		var order []string
		for n < len(holds) && holds[n].revision == revision {
			h := &holds[n]
			n++
			if _, seen := before[h.nodeUID]; !seen {
				before[h.nodeUID] = held[h.nodeUID]
				order = append(order, h.nodeUID)
			}
			if !h.takes {
				held[h.nodeUID] = held[h.nodeUID].Minus(h.needs)
				holders[h.nodeUID] = slices.DeleteFunc(holders[h.nodeUID], func(x *hold) bool { return x.life == h.life })
				continue
			}
			sum, ok := held[h.nodeUID].Plus(h.needs)
			if !ok {
				r.Leave("needs that are more than can be counted")
				continue
			}
			held[h.nodeUID] = sum
			holders[h.nodeUID] = append(holders[h.nodeUID], h)
			if h.sure {
				raised[h.nodeUID] = h
			}
		}
		holds = holds[n:]
		for _, uid := range order {
			h := raised[uid]
			if h == nil {
				continue
			}
			if known[uid] == nil || known[uid].until < revision {
				r.Leave("placements on nodes whose report nobody recorded")
				continue
			}
			r.Checked++
			full(&r, h, known[uid], before[uid], held[uid], capacity[uid], holders[uid])
		}
	}
	return r.Conclude(least)
}

// full judges what a turn made of a node.
func full(r *history.Report, h *hold, node *report, before, held, capacity candor.Resources, holders []*hold) {
	for _, a := range held {
		has := capacity.Get(a.Name)
		if a.Value <= before.Get(a.Name) {
			continue
		}
		if has > 0 {
			r.Near((has-a.Value)*100/has, "percent left")
		}
		if a.Value <= has {
			continue
		}
		name, value := a.Name, a.Value
		exhibits := []history.Exhibit{node.exhibit()}
		for _, x := range holders {
			exhibits = append(exhibits, x.life.exhibit(x.step))
		}
		r.Break(func() string {
			return fmt.Sprintf("at revision %d instances hold %s %s of node %s, which has %s", h.revision,
				candor.FormatAmount(name, value), name, h.node, candor.FormatAmount(name, has))
		}, nil, exhibits...)
	}
}

// holds are all takings and givings, in the order of revisions.
func (w *world) holds() []hold {
	var holds []hold
	for i := range w.lives {
		l := &w.lives[i]
		var taken *hold
		for j := range l.steps {
			s := &l.steps[j]
			live := s.nodeUID != "" && !s.phase.Ended()
			switch {
			case live && taken == nil:
				taken = &hold{revision: s.revision, nodeUID: s.nodeUID, node: s.node, needs: s.needs, takes: true, sure: j > 0 || l.whole, life: l, step: s}
				holds = append(holds, *taken)
			case !live && taken != nil:
				holds = append(holds, taken.given(s.revision))
				taken = nil
			}
		}
		switch {
		case taken == nil:
		case l.gone != 0:
			holds = append(holds, taken.given(l.gone))
		default:
			holds = append(holds, taken.given(l.until+1))
		}
	}
	slices.SortStableFunc(holds, func(a, b hold) int { return cmp.Compare(a.revision, b.revision) })
	return holds
}

func (h *hold) given(revision uint64) hold {
	back := *h
	back.revision, back.takes = revision, false
	return back
}
