package placements

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// Recording is what is known of the instances and nodes of one run.
type Recording struct {
	// Versions are what the cluster keeps of objects; those of instances and nodes are
	// looked at, which must be whole.
	Versions  []history.Versions
	Claims    []Claim
	Decisions []Decision
}

// Check runs all checkers, each of which must have checked least items to say PASS.
func (r *Recording) Check(least int) []history.Report {
	w := read(r.Versions)
	return []history.Report{
		w.placed(least), w.ended(least), w.capacity(least), w.open(least), claims(r.Claims, least), decisions(r.Decisions, least),
	}
}

// world is the versions of instances and nodes.
type world struct {
	// lives are those of each instance, by uid, in the order of names and births.
	lives []life
	// reports are what nodes said that they have, in the order of revisions.
	reports []report
	// sites are the versions of each node, by name, oldest first.
	sites map[string][]site
	left  map[string]int
}

// life is one instance from its birth to its end, or as far as it is kept.
type life struct {
	key, uid string
	steps    []step
	// whole: it begins with the birth.
	whole bool
	// gone is the revision at which it was removed; 0 where it was not. What became of
	// it after until is not known.
	gone, until uint64
}

// step is one version of an instance.
type step struct {
	revision uint64
	phase    candor.InstancePhase
	node     string
	nodeUID  string
	needs    candor.Resources
	// tolerates and read are of the decision: what the instance bears, and the revision
	// that it was decided at, 0 where that is not known.
	tolerates []candor.Toleration
	read      uint64
}

// report is what a node has, from a revision on. What it has after until is not known.
type report struct {
	revision, until uint64
	name, uid       string
	capacity        candor.Resources
}

// read takes of each object the read that shows most: what was read at two revisions
// may lack what was between them.
func read(versions []history.Versions) *world {
	w := &world{sites: map[string][]site{}, left: map[string]int{}}
	best := map[string]*history.Versions{}
	for i := range versions {
		v := &versions[i]
		kind, _, _ := strings.Cut(v.Key, "/")
		if k := candor.KindName(kind); k != candor.KindInstances && k != candor.KindNodes {
			continue
		}
		if b := best[v.Key]; b == nil || len(v.Versions) >= len(b.Versions) {
			best[v.Key] = v
		}
	}
	for _, key := range slices.Sorted(maps.Keys(best)) {
		if strings.HasPrefix(key, string(candor.KindNodes)+"/") {
			w.node(best[key])
			w.site(best[key])
		} else {
			w.instance(best[key])
		}
	}
	slices.SortStableFunc(w.reports, func(a, b report) int { return cmp.Compare(a.revision, b.revision) })
	return w
}

func (w *world) node(read *history.Versions) {
	for i := range read.Versions {
		v := &read.Versions[i]
		var observed candor.NodeObserved
		switch {
		case v.Deleted:
		case v.Object == nil:
			w.left["versions of nodes that were not kept whole"]++
		case len(v.Object.Observed) > 0 && json.Unmarshal(v.Object.Observed, &observed) != nil:
			w.left["nodes whose report cannot be read"]++
		default:
			w.reports = append(w.reports, report{v.Revision, read.Revision, v.Object.Metadata.Name, v.Object.Metadata.UID, observed.Capacity})
		}
	}
}

func (w *world) instance(read *history.Versions) {
	var now *life
	for i := range read.Versions {
		v := &read.Versions[i]
		if v.Object == nil {
			w.left["versions of instances that were not kept whole"]++
			continue
		}
		uid := v.Object.Metadata.UID
		if now == nil || now.uid != uid {
			if now != nil && now.gone == 0 {
				now.until = v.Revision - 1
			}
			w.lives = append(w.lives, life{key: read.Key, uid: uid, whole: v.Create == v.Revision, until: read.Revision})
			now = &w.lives[len(w.lives)-1]
		}
		if v.Deleted {
			now.gone = v.Revision
			continue
		}
		var spec candor.InstanceSpec
		var status candor.InstanceStatus
		if json.Unmarshal(v.Object.Spec, &spec) != nil || len(v.Object.Status) > 0 && json.Unmarshal(v.Object.Status, &status) != nil {
			w.left["instances that cannot be read"]++
			continue
		}
		one := step{
			revision: v.Revision, phase: cmp.Or(status.Phase, candor.InstancePending), node: status.Node, nodeUID: status.NodeUID,
			needs: spec.Resources, tolerates: spec.Tolerations,
		}
		if v.Cause != nil {
			one.read = v.Cause.ReadToken.Revision
		}
		now.steps = append(now.steps, one)
	}
}

// placed checks that an instance gets one place, for good.
func (w *world) placed(least int) history.Report {
	r := history.Report{Property: "an instance has one place, for good", Left: w.left}
	for i := range w.lives {
		l := &w.lives[i]
		var place *step
		for j := range l.steps {
			s := &l.steps[j]
			if s.node != "" {
				r.Checked++
			}
			if place != nil && (s.node != place.node || s.nodeUID != place.nodeUID) {
				r.Break(func() string {
					return fmt.Sprintf("%s was on %s at revision %d, and is on %s at revision %d", l.key, place.where(), place.revision, s.where(), s.revision)
				}, nil, l.exhibit(place), l.exhibit(s))
			}
			if s.node != "" {
				place = s
			}
		}
	}
	return r.Conclude(least)
}

// ended checks that an instance ends at most once, one way.
func (w *world) ended(least int) history.Report {
	r := history.Report{Property: "an instance ends at most once"}
	for i := range w.lives {
		l := &w.lives[i]
		var end *step
		for j := range l.steps {
			s := &l.steps[j]
			switch {
			case end == nil && s.phase.Ended():
				end = s
				r.Checked++
			case end != nil && s.phase != end.phase:
				r.Break(func() string {
					return fmt.Sprintf("%s ended as %s at revision %d, and is %s at revision %d", l.key, end.phase, end.revision, s.phase, s.revision)
				}, nil, l.exhibit(end), l.exhibit(s))
			}
		}
	}
	return r.Conclude(least)
}

// claims checks that no two machines, and no two sessions of workers, run an instance at
// once. The margin is the time between two claims of one instance.
func claims(all []Claim, least int) history.Report {
	r := history.Report{Property: "one machine at a time runs an instance"}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Claim) int {
		return cmp.Or(strings.Compare(a.Instance, b.Instance), a.From.Compare(b.From))
	})
	var last *Claim // of those before, the one that ends last
	for i := range sorted {
		c := &sorted[i]
		r.Checked++
		if last == nil || last.Instance != c.Instance {
			last = c
			continue
		}
		if last.Node != c.Node || last.Session != c.Session {
			if !last.To.IsZero() {
				r.Near(c.From.At-last.To.At, "ns")
			}
			if last.To.IsZero() || c.From.Before(last.To) {
				was := last
				r.Break(func() string {
					return fmt.Sprintf("instance %s runs on %s and on %s at once", c.title(), was.where(), c.where())
				}, nil, was.exhibit(), c.exhibit())
			}
		}
		if !last.To.IsZero() && (c.To.IsZero() || last.To.Before(c.To)) {
			last = c
		}
	}
	return r.Conclude(least)
}

// decisions checks that a decision that was taken again is the same.
func decisions(all []Decision, least int) history.Report {
	r := history.Report{Property: "a decision taken again is the same"}
	for i := range all {
		d := &all[i]
		switch {
		case d.Same:
			r.Checked++
		case d.Reason == candor.ReasonDecisionDiffers:
			r.Checked++
			r.Break(func() string { return fmt.Sprintf("decision %s of %s is another now: %s", d.ID, d.Instance, d.Message) }, nil,
				history.Exhibit{Record: "decision", Text: fmt.Sprintf("%s of %s: %s: %s", d.ID, d.Instance, d.Reason, d.Message)})
		default:
			r.Leave("decisions that could not be taken again: " + string(d.Reason))
		}
	}
	return r.Conclude(least)
}
