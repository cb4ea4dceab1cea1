package scheduler

import (
	"cmp"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// Queue holds the instances that wait for a place: those to be decided now, those that
// are being proposed, and those that nothing fitted, until something happens that may
// help them. It has no timer and no goroutine; who owns the model owns it too.
//
// Blocked instances that are alike (one class, one nomination) wait as a group, for
// where one of them does not fit, none of them fits: an event wakes the first, its
// scout, and each scout that is placed wakes the next two.
type Queue struct {
	m      *Model
	active map[candor.Ref]urgency
	// turns has every active instance by the urgency that active says, and entries that
	// were overtaken.
	turns turns
	// proposed are what Next handed out, with the node that was found by then.
	proposed map[candor.Ref]string
	groups   map[groupKey]*group
	blocked  map[candor.Ref]*waiting
	scouts   map[candor.Ref]*group
}

// nextScouts is how many follow one that was placed.
const nextScouts = 2

type groupKey struct {
	class     *class
	nominated string
}

type group struct {
	key     groupKey
	members []*waiting
	// cures have, for every node, what helps with something that speaks against it.
	cures Helps
	// scouts are those that were woken for all and are neither settled nor blocked.
	scouts map[candor.Ref]struct{}
}

type waiting struct {
	ref  candor.Ref
	inst *instance
	// Its urgency as it was.
	priority int32
	created  uint64
	group    *group
	reasons  []candor.ReasonCount
}

func (w *waiting) before(other *waiting) int {
	return cmp.Or(cmp.Compare(other.priority, w.priority), cmp.Compare(w.created, other.created), strings.Compare(w.ref.Key(), other.ref.Key()))
}

// Waiting is what holds a blocked instance, and what would wake it.
type Waiting struct {
	Reasons []candor.ReasonCount
	Wakes   Helps
}

// NewQueue returns the queue of a model: everything that is pending in it is active.
func NewQueue(m *Model) *Queue {
	if m == nil {
		panic("scheduler: a queue without a model")
	}
	q := &Queue{
		m: m, active: map[candor.Ref]urgency{}, proposed: map[candor.Ref]string{},
		groups: map[groupKey]*group{}, blocked: map[candor.Ref]*waiting{}, scouts: map[candor.Ref]*group{},
	}
	for _, ref := range m.Pending() {
		q.activate(ref)
	}
	return q
}

// Len counts the active, the proposed and the blocked.
func (q *Queue) Len() (active, proposed, blocked int) {
	return len(q.active), len(q.proposed), len(q.blocked)
}

// mostAhead bounds how many blocked instances one batch takes along, so that none of
// less priority gets what they wait for.
const mostAhead = 64

// Next takes up to limit active instances out, in the order in which they are to be
// decided. They are proposed until Decided, Retry or an event says otherwise. Before one
// of less priority come those who wait behind a scout: what helps the scout may be
// enough for them too.
func (q *Queue) Next(limit int) []candor.Ref {
	refs := make([]candor.Ref, 0, min(limit, len(q.active)))
	taken := 0
	for len(refs) < limit && len(q.turns) > 0 {
		next := q.turns.pop()
		if is, active := q.active[next.ref]; !active || is != next.urgency {
			continue
		}
		delete(q.active, next.ref)
		inst := q.m.instances[next.ref]
		if inst == nil || !inst.waiting() {
			continue
		}
		if first := q.ahead(inst); first != nil && taken < mostAhead {
			taken++
			q.activate(first.ref)
			q.activate(next.ref)
			continue
		}
		q.proposed[next.ref] = ""
		refs = append(refs, next.ref)
	}
	return refs
}

// ahead is the most urgent of those who wait behind a scout and are of more priority;
// nil where there is none.
func (q *Queue) ahead(inst *instance) *waiting {
	var first *waiting
	//candor:unordered the least by a total order
	for _, g := range q.scouts {
		if len(g.members) == 0 || g.members[0].priority <= inst.class.priority {
			continue
		}
		if first == nil || g.members[0].before(first) < 0 {
			first = g.members[0]
		}
	}
	return first
}

// Decided takes over what Batch made of what Next gave: at once, before the model
// changes. What found a node stays proposed until an event shows it placed, refused or
// gone; the rest is blocked, also what a node is made free for.
func (q *Queue) Decided(batch []Outcome) {
	for i := range batch {
		o := &batch[i]
		inst := q.m.instances[o.Ref]
		if inst == nil || !inst.waiting() {
			delete(q.proposed, o.Ref)
			continue
		}
		if o.Decision.Verdict == candor.VerdictPlaced {
			q.proposed[o.Ref] = o.Decision.Node
			continue
		}
		delete(q.proposed, o.Ref)
		q.block(inst, o)
	}
}

// Retry makes a whole batch active again whose proposal came to nothing: also those
// that were blocked, for they were decided beside places that nobody took.
func (q *Queue) Retry(batch []Outcome) {
	for i := range batch {
		q.activate(batch[i].Ref)
	}
}

// Waiting says why an instance is blocked; false for one that is not.
func (q *Queue) Waiting(ref candor.Ref) (Waiting, bool) {
	w := q.blocked[ref]
	if w == nil {
		return Waiting{}, false
	}
	return Waiting{Reasons: w.reasons, Wakes: w.group.cures}, true
}

// Woken takes over what an Apply or Remove of the model returned, and says which
// instances it made active, the most urgent first.
func (q *Queue) Woken(e Event) []candor.Ref {
	var woken []candor.Ref
	if node, ok := q.proposed[e.Ref]; ok && (e.Settled || e.Pending) {
		// It went elsewhere than the rest of its batch took for granted, or was refused.
		if inst := q.m.instances[e.Ref]; inst == nil || !inst.live() || q.m.nodeName(inst.slot) != node {
			e.Node, e.Helps = "", e.Helps|HelpsCapacity|HelpsTopology|HelpsBudgets
		}
	}
	if w := q.blocked[e.Ref]; w != nil && w.group.key.nominated != "" {
		// What was to be made free for it, the rest of its batch left alone.
		if inst := q.m.instances[e.Ref]; inst == nil || inst.nominated != w.group.key.nominated {
			e.Node, e.Helps = "", e.Helps|HelpsCapacity|HelpsTopology|HelpsBudgets
		}
	}
	if e.Settled {
		woken = q.settle(e.Ref)
	}
	if e.Pending && q.activate(e.Ref) {
		woken = append(woken, e.Ref)
	}
	if e.Helps != 0 {
		woken = append(woken, q.help(e)...)
	}
	Order(q.m, woken)
	return woken
}

// settle forgets an instance; where it was a scout, others of its group follow.
func (q *Queue) settle(ref candor.Ref) []candor.Ref {
	delete(q.active, ref)
	delete(q.proposed, ref)
	q.unblock(ref)
	g := q.scouts[ref]
	if g == nil {
		return nil
	}
	q.dismiss(ref)
	return q.send(g, nextScouts)
}

// dismiss ends an instance's being a scout.
func (q *Queue) dismiss(ref candor.Ref) {
	g := q.scouts[ref]
	if g == nil {
		return
	}
	delete(q.scouts, ref)
	delete(g.scouts, ref)
	q.forget(g)
}

func (q *Queue) forget(g *group) {
	if len(g.members) == 0 && len(g.scouts) == 0 {
		delete(q.groups, g.key)
	}
}

func (q *Queue) activate(ref candor.Ref) bool {
	inst := q.m.instances[ref]
	if inst == nil || !inst.waiting() {
		return false
	}
	q.unblock(ref)
	delete(q.proposed, ref)
	before, was := q.active[ref]
	now := urgencyOf(inst)
	if !was || before != now {
		q.active[ref] = now
		q.turns.push(turnOf{urgency: now, ref: ref, key: ref.Key()})
	}
	return !was
}

func (q *Queue) block(inst *instance, o *Outcome) {
	key := groupKey{inst.class, o.Decision.Node}
	q.unblock(inst.ref)
	if sent := q.scouts[inst.ref]; sent != nil {
		q.dismiss(inst.ref)
		if sent.key != key {
			q.send(sent, 1) // it does not speak for them any more
		}
	}
	g := q.groups[key]
	if g == nil {
		g = &group{key: key, scouts: map[candor.Ref]struct{}{}}
		q.groups[key] = g
	}
	g.cures |= cures(inst, o)
	w := &waiting{
		ref: inst.ref, inst: inst, priority: inst.class.priority, created: inst.created, group: g, reasons: o.Decision.Reasons,
	}
	q.blocked[inst.ref] = w
	at, _ := slices.BinarySearchFunc(g.members, w, (*waiting).before)
	g.members = slices.Insert(g.members, at, w)
}

// cures are what may help: for each node, that which its first reason yields to. One
// that preempts may gain by every change of a node; one that a node is made free for
// needs no budget any more.
func cures(inst *instance, o *Outcome) Helps {
	c := inst.class
	cures := HelpsNomination
	for _, r := range o.Decision.Reasons {
		cures |= curesOf(r.Reason)
	}
	if c.preempts {
		cures |= HelpsEverything &^ (HelpsTopology | HelpsBudgets)
	}
	if c.preempts && o.Decision.Verdict != candor.VerdictNominated {
		cures |= HelpsBudgets
	}
	if len(c.spreads) > 0 || len(c.near) > 0 || len(c.shunned) > 0 {
		cures |= HelpsTopology | HelpsLabels
	}
	return cures
}

func curesOf(reason string) Helps {
	for c := fits + 1; c < codes; c++ {
		if c.String() == reason {
			return c.cures()
		}
	}
	return insufficient.cures()
}

func (q *Queue) unblock(ref candor.Ref) {
	w := q.blocked[ref]
	if w == nil {
		return
	}
	delete(q.blocked, ref)
	g := w.group
	if at, found := slices.BinarySearchFunc(g.members, w, (*waiting).before); found {
		g.members = slices.Delete(g.members, at, at+1)
	}
	q.forget(g)
}

// help sends a scout of every group that the change may help.
func (q *Queue) help(e Event) []candor.Ref {
	var woken []candor.Ref
	//candor:unordered Woken sorts
	for _, g := range q.groups {
		if !q.scouting(g) && q.helps(e, g) {
			woken = append(woken, q.send(g, 1)...)
		}
	}
	return woken
}

func (q *Queue) helps(e Event, g *group) bool {
	if len(g.members) == 0 {
		return false
	}
	if e.Helps&HelpsEverything != HelpsEverything && g.cures&e.Helps == 0 {
		return false
	}
	if e.Helps == HelpsNomination {
		return g.key.nominated == e.Node
	}
	everywhere := e.Node == "" || e.Helps&(HelpsTopology|HelpsBudgets)&g.cures != 0
	if everywhere || g.key.class.preempts {
		return true
	}
	slot, ok := q.m.byName[e.Node]
	if !ok {
		return false
	}
	q.m.prepare(&q.m.question, g.key.class, g.members[0].inst)
	v := q.m.first(&q.m.question, slot)
	if v != 0 {
		g.cures |= v.code().cures() // what holds it back there now
	}
	return v == 0
}

// scouting says whether a scout of the group is still to be decided.
func (q *Queue) scouting(g *group) bool {
	//candor:unordered any will do
	for ref := range g.scouts {
		if _, active := q.active[ref]; active {
			return true
		}
	}
	return false
}

// send makes the first few of a group active.
func (q *Queue) send(g *group, count int) []candor.Ref {
	count = min(count, len(g.members))
	woken := make([]candor.Ref, count)
	for i := range woken {
		woken[i] = g.members[i].ref
		q.scouts[woken[i]] = g
		g.scouts[woken[i]] = struct{}{}
	}
	for _, ref := range woken {
		q.activate(ref)
	}
	return woken
}
