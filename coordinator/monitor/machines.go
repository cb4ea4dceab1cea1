package monitor

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/budgets"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/policies"
	"github.com/candor-plane/candor/fsm/tenure"
)

// machines judges nodes by what is on them.
func (l *looking) machines() {
	on := map[string][]*kinds.Instance{} // by node uid
	for _, i := range l.instances {
		if i.Holds() {
			on[i.Status.NodeUID] = append(on[i.Status.NodeUID], i)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.nodes)) {
		n := l.nodes[name]
		mine := on[n.Meta().UID]
		l.covers(n, mine)
		l.heard(n, mine)
		if n.Spec.Drain && len(mine) > 0 {
			l.drained(n, mine)
		}
	}
}

// covers: what is held is recounted from the instances.
func (l *looking) covers(n *kinds.Node, mine []*kinds.Instance) {
	if n.Observed == nil {
		return
	}
	held := tally{}
	for _, i := range mine {
		held.add(i.Spec.Resources, 1)
	}
	name, over := held.exceeds(n.Observed.Capacity)
	if !over {
		return
	}
	l.claim(Claim{
		Promise: CapacityCovers, Subject: n.Ref, Step: n.Meta().UID, Within: Reaction,
		Message: fmt.Sprintf("its instances hold more %s than it has", name),
		Cause:   fmt.Sprintf("they hold %s, and its worker reports %s", candor.FormatAmount(name, held[name]), candor.FormatAmount(name, n.Observed.Capacity.Get(name))),
		Owner:   "the worker of node " + n.Ref.Name, Repair: "give the machine its capacity back, or candor node drain " + n.Ref.Name,
	})
}

// heard: whether a node is heard of shows in its condition, and what its policy says of a
// silent one is done in time.
func (l *looking) heard(n *kinds.Node, mine []*kinds.Instance) {
	mode, from := policies.Silence(n.Object.Metadata.Labels, l.policies)
	beat, promised, known := l.Beat(n.Meta().UID)
	ready := n.Status.Conditions.True(candor.ConditionReady)
	owner, vacant := l.duty(tenure.DutyControllers)
	c := Claim{
		Subject: n.Ref, Step: n.Meta().UID, Within: Reaction, Owner: owner, Repair: remedy(tenure.DutyControllers, vacant, n.Ref),
		Cause: sent(vacant, "the node controller has not acted on policy "+from),
	}
	// A policy that was shortened holds from the beat on that told the worker so.
	within := max(time.Duration(mode.DetectWithin), promised)
	silent := later(beat, within)
	switch {
	case !known && ready:
		c.Promise, c.Message = SilenceIsNoticed, "it is Ready, and was never heard of"
		l.claim(c)
	case known && l.Now >= silent && ready:
		c.Promise, c.From = SilenceIsNoticed, silent
		c.Message = fmt.Sprintf("it was not heard of for %s and is still Ready", within)
		l.claim(c)
	case known && l.Now < silent && !ready:
		c.Promise, c.Message = BeatIsNoticed, "it is heard of and not Ready"
		l.claim(c)
	}
	lost := later(silent, time.Duration(mode.ActAfter))
	if !known || l.Now < lost {
		return
	}
	switch {
	case mode.Action == candor.ActionEvict && len(mine) > 0:
		c.Promise, c.From = SilentNodeIsLeft, lost
		c.Message = fmt.Sprintf("it was not heard of for %s, and instances are still counted as living there", within+time.Duration(mode.ActAfter))
		l.claim(c)
	case mode.Action == candor.ActionCordon && !n.Spec.Unschedulable && !policies.CordonedIn(n.Meta(), beat):
		c.Promise, c.From = SilentNodeIsClosed, lost
		c.Message = fmt.Sprintf("it was not heard of for %s, and is not cordoned", within+time.Duration(mode.ActAfter))
		l.claim(c)
	default: // done, or nothing is to be
	}
}

// drained: what is left gets fewer.
func (l *looking) drained(n *kinds.Node, mine []*kinds.Instance) {
	owner, vacant := l.duty(tenure.DutyControllers)
	within := Drainage
	var ending *kinds.Instance
	var hold *budgets.Hold
	for _, i := range mine {
		if i.Terminating() {
			ending, within = i, max(within, Drainage+grace(i))
			continue
		}
		if _, held := budgets.Take(i, l.budgets[i.Ref.Namespace]); held != nil && hold == nil {
			hold = held
		}
	}
	c := Claim{
		Promise: DrainEmpties, Subject: n.Ref, Step: fmt.Sprintf("%s/%d/%d", n.Meta().UID, n.Meta().Generation, len(mine)), Within: within,
		Message: fmt.Sprintf("it is drained, %s left, and none went within %s", are(len(mine)), within),
		Owner:   owner, Repair: remedy(tenure.DutyControllers, vacant, n.Ref),
	}
	switch {
	case vacant != "":
		c.Cause = vacant
	case hold != nil:
		c.Cause = "held by " + hold.String()
		c.Owner, c.Repair = owned(hold.Budget), "make room for more healthy instances, or loosen "+hold.Budget.String()
	case ending != nil:
		c.Cause = fmt.Sprintf("instance %s was asked to end and has not", ending.Ref.Name)
		c.Owner, c.Repair = "the worker of node "+n.Ref.Name, why(ending.Ref)
	default:
		c.Cause = "the node controller has evicted none"
	}
	l.claim(c)
}

func are(n int) string {
	if n == 1 {
		return "1 instance is"
	}
	return fmt.Sprintf("%d instances are", n)
}
