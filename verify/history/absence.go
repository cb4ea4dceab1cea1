package history

import (
	"cmp"
	"fmt"
	"slices"
)

// absences explains every version that was found gone without a recorded end:
// it was going, or a delete of unknown outcome took it, each delete one version
// at most. What was gone does not come back.
func (r *replay) absences() {
	var gone []span
	for place, a := range r.spans {
		if a.gone != nil {
			gone = append(gone, place)
		}
	}
	// One order, whatever order the map has.
	slices.SortFunc(gone, func(a, b span) int {
		first, second := r.spans[a], r.spans[b]
		return cmp.Or(cmp.Compare(first.key, second.key), cmp.Compare(first.goneAt, second.goneAt))
	})
	for _, place := range gone {
		r.explain(place, r.spans[place])
	}
}

func (r *replay) explain(place span, a *absence) {
	v := &place.chain.versions[place.version]
	switch {
	case !v.going && !r.taken(place.chain, v, a):
		r.report.violate(func() string {
			return fmt.Sprintf("revision %d wrote %s, and %s as of revision %d found nothing there; no delete was acknowledged or may have happened between",
				v.revision, v.item, a.gone.Kind, a.goneAt)
		}, v.by, a.gone)
	case a.there != nil && a.thereAt >= a.goneAt:
		r.report.violate(func() string {
			return fmt.Sprintf("revision %d wrote %s; it was gone at revision %d and the same was back at %d", v.revision, v.item, a.goneAt, a.thereAt)
		}, v.by, a.gone, a.there)
	}
}

// taken finds a delete that may have taken the version away: of those, as in
// pin, the one that was invoked last.
func (r *replay) taken(c *chain, v *version, a *absence) bool {
	if !r.turns.room(v.revision, a.goneAt) {
		return false
	}
	for _, u := range slices.Backward(c.unknown) {
		if u.item.ends() && !r.used[u.operation] && r.free(u, a.goneAt) {
			r.used[u.operation] = true
			return true
		}
	}
	return false
}
