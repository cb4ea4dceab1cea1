package workloads

import (
	"cmp"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// page is how many objects one write makes and ends at most, pageBytes how many bytes of
// spec it makes.
const (
	page      = 100
	pageBytes = 256 << 10
)

// step is what one write does to the instances.
type step struct {
	adopt  []*kinds.Instance
	remove []*kinds.Instance // those that live
	over   []*kinds.Instance // those that have ended
	// create is how many are made, of template.
	create   int
	template *candor.InstanceTemplate
	digest   string
}

func (s *step) empty() bool { return len(s.adopt)+len(s.remove)+len(s.over)+s.create == 0 }

// stepOf is the next step towards so many instances of the target.
func stepOf(c *census, s strategy, w *kinds.Workload, to target) step {
	if len(c.orphans) > 0 {
		return step{adopt: c.orphans[:min(page, len(c.orphans))]}
	}
	out := step{over: c.over[:min(page, len(c.over))], template: to.template, digest: to.digest}
	room := page - len(out.over)
	var missing int
	switch {
	case w.Spec.Paused:
		missing = held(c, s, &out, room)
		if stable := w.Status.StableTemplate; stable != nil {
			out.template, out.digest = stable, w.Status.Stable
		}
	case len(c.old) == 0:
		out.remove = c.least(c.current, len(c.current)-s.replicas, room)
		missing = s.replicas - len(c.current) - c.resting
	default:
		out.remove = replaced(c, s, room)
		missing = min(s.replicas-len(c.current)-c.resting, s.most()-(c.live()-len(out.remove)))
	}
	room = min(room-len(out.remove), max(1, pageBytes/max(1, len(w.Object.Spec))))
	out.create = max(0, min(missing, room))
	return out
}

// held keeps the count while a rollout is paused where it is. Too many are given up by
// their worth, and of one worth the old first.
func held(c *census, s strategy, out *step, room int) (missing int) {
	limit := s.replicas
	if len(c.current) > 0 && len(c.old) > 0 {
		limit = s.most()
	}
	if c.live() > limit {
		all := slices.Concat(c.first(c.old), c.first(c.current))
		slices.SortStableFunc(all, func(a, b *kinds.Instance) int { return cmp.Compare(c.worth(a), c.worth(b)) })
		out.remove = cut(all, c.live()-limit, room)
	}
	return s.replicas - c.live() - c.resting
}

// replaced are those that give way to the target's: of the current what is above the
// replicas; of the old those that are of no use, as long as so many remain as are to be
// available if all of them came to be; of the old that are available as many as are not
// needed; and, where still more live than may, of the current those that are of no use.
func replaced(c *census, s strategy, room int) []*kinds.Instance {
	remove := c.least(c.current, len(c.current)-s.replicas, room)
	cleared := len(remove)
	useful := c.availableCurrent
	for _, i := range remove {
		if c.available(i) {
			useful--
		}
	}
	idle := len(c.old) - c.availableOld
	slack := useful + len(c.old) - s.least()
	spare := useful + c.availableOld - s.least()
	if min(idle, slack) > 0 || spare > 0 {
		old := c.first(c.old)
		remove = append(remove, cut(old[:idle], slack, room-len(remove))...)
		remove = append(remove, cut(old[idle:], spare, room-len(remove))...)
	}
	above := c.live() - len(remove) - s.most()
	if useless := len(c.current) - c.availableCurrent; above > 0 && useless > cleared {
		remove = append(remove, cut(c.first(c.current)[cleared:useless], above, room-len(remove))...)
	}
	return remove
}

// least are the n that are given up first, at most room.
func (c *census) least(list []*kinds.Instance, n, room int) []*kinds.Instance {
	if n <= 0 {
		return nil
	}
	return cut(c.first(list), n, room)
}

// cut takes the first n of a list, at most room, and none where n is negative.
func cut(list []*kinds.Instance, n, room int) []*kinds.Instance {
	return slices.Clone(list[:max(0, min(n, room, len(list)))])
}
