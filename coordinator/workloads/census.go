package workloads

import (
	"cmp"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// rest is for how long after its placement an instance that ended by itself keeps its
// slot: a process that ends at once is made anew no more often.
const rest = 10 * second

// census is what there is of a workload's instances.
type census struct {
	// orphans have the workload's label, no controller, and one of its templates.
	orphans []*kinds.Instance
	// current and old live, of the target and of other templates.
	current, old []*kinds.Instance
	// over have ended and may go; resting have ended and keep their slots until.
	over    []*kinds.Instance
	resting int
	// next is the earliest cluster time at which any of it changes by itself.
	next int64

	availableCurrent, availableOld int
	ready                          int64 // how long an instance is ready before it is available
	now                            int64
}

func take(v *View, target string, s strategy) *census {
	c := &census{ready: s.ready, now: v.Now}
	uid := v.Workload.Meta().UID
	for _, i := range v.Instances {
		owner := i.Controller()
		switch {
		case owner == nil && c.adoptable(v, i):
			c.orphans = append(c.orphans, i)
		case owner == nil || owner.UID != uid || i.Terminating():
		case i.Ended():
			c.end(i, target)
		case revisionOf(i) == target:
			c.current = append(c.current, i)
			c.availableCurrent += c.count(i)
		default:
			c.old = append(c.old, i)
			c.availableOld += c.count(i)
		}
	}
	return c
}

// adoptable: it lives, and is of a template of the workload, in what it says and in what it is.
func (c *census) adoptable(v *View, i *kinds.Instance) bool {
	if !i.Live() || i.Object.Metadata.Labels[candor.LabelWorkload] != v.Workload.Ref.Name {
		return false
	}
	revision := Digest(&i.Spec.InstanceTemplate)
	if revisionOf(i) != revision {
		return false
	}
	return revision == Digest(&v.Workload.Spec.Template) || revision == v.Workload.Status.Stable
}

func (c *census) end(i *kinds.Instance, target string) {
	placed := i.Status.Conditions.Get(candor.ConditionScheduled)
	if i.Status.Phase == candor.InstanceLost || revisionOf(i) != target || placed == nil || placed.LastTransitionTime.IsZero() {
		c.over = append(c.over, i)
		return
	}
	until := placed.LastTransitionTime.UnixNano() + rest
	if until <= c.now {
		c.over = append(c.over, i)
		return
	}
	c.resting++
	c.wake(until)
}

func (c *census) wake(at int64) {
	if at > c.now && (c.next == 0 || at < c.next) {
		c.next = at
	}
}

func (c *census) count(i *kinds.Instance) int {
	since, ok := i.ReadySince()
	if !ok {
		return 0
	}
	if at := since + c.ready; c.ready > 0 && at > c.now {
		c.wake(at)
		return 0
	}
	return 1
}

func (c *census) available(i *kinds.Instance) bool {
	since, ok := i.ReadySince()
	return ok && (c.ready == 0 || since+c.ready <= c.now)
}

func (c *census) live() int { return len(c.current) + len(c.old) }

func (c *census) availableAll() int { return c.availableCurrent + c.availableOld }

// first sorts instances in the order in which they are given up: those that have no place,
// those that are not ready, those that are not ready for long enough, the newest, and of
// one turn those with the highest number.
func (c *census) first(list []*kinds.Instance) []*kinds.Instance {
	type rank struct {
		instance *kinds.Instance
		worth    int
		made     uint64
	}
	ranks := make([]rank, len(list))
	for at, i := range list {
		ranks[at] = rank{instance: i, worth: c.worth(i), made: i.Meta().CreateRevision}
	}
	slices.SortFunc(ranks, func(a, b rank) int {
		if a.worth != b.worth {
			return cmp.Compare(a.worth, b.worth)
		}
		if a.made != b.made {
			return cmp.Compare(b.made, a.made)
		}
		x, y := a.instance.Ref.Name, b.instance.Ref.Name
		return cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(y, x))
	})
	sorted := make([]*kinds.Instance, len(list))
	for at := range ranks {
		sorted[at] = ranks[at].instance
	}
	return sorted
}

func (c *census) worth(i *kinds.Instance) int {
	switch {
	case !i.Placed():
		return 0
	case !i.Ready():
		return 1
	case !c.available(i):
		return 2
	default:
		return 3
	}
}

func revisionOf(i *kinds.Instance) string { return i.Object.Metadata.Labels[candor.LabelRevision] }
