package monitor

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/policies"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm/tenure"
)

// mostAlike bounds the groups of pending instances that one look decides about.
const mostAlike = 256

// alike are pending instances of which all that matters to a decision is equal.
type alike struct {
	namespace, workload, revision, name string
	priority                            int32
}

// placement asks the scheduler about the most urgent of each group of pending instances:
// what fits is to be placed, and what does not is to become possible.
func (l *looking) placement() {
	byRef := make(map[candor.Ref]*kinds.Instance, len(l.instances))
	for _, i := range l.instances {
		byRef[i.Ref] = i
	}
	first := map[alike]*kinds.Instance{}
	waiting := map[alike]int{}
	var order []alike
	for _, ref := range l.Model.Pending() {
		i := byRef[ref]
		if i == nil || i.Terminating() {
			continue
		}
		of := alikeTo(i)
		waiting[of]++
		if first[of] == nil && len(order) < mostAlike {
			first[of] = i
			order = append(order, of)
		}
	}
	for _, of := range order {
		i := first[of]
		outcome, err := scheduler.Decide(l.Model, i.Ref, scheduler.Brief)
		if err != nil {
			continue // the model says that it does not wait
		}
		switch d := &outcome.Decision; d.Verdict {
		case candor.VerdictPlaced:
			l.unplaced(i, d)
		case candor.VerdictNothingFits:
			l.misfit(i, d)
		case candor.VerdictNominated, candor.VerdictRefused: // it is being made room for; Decide refuses nothing
		}
	}
}

func alikeTo(i *kinds.Instance) alike {
	labels := i.Object.Metadata.Labels
	of := alike{namespace: i.Ref.Namespace, workload: labels[candor.LabelWorkload], revision: labels[candor.LabelRevision], priority: i.Spec.Priority}
	if of.workload == "" {
		of.name = i.Ref.Name
	}
	return of
}

// unplaced fits and has no place.
func (l *looking) unplaced(i *kinds.Instance, d *candor.Decision) {
	owner, vacant := l.duty(tenure.DutySchedule)
	within := Reaction
	if w := l.controller(i); w != nil {
		if promised := l.recovery(w); promised > 0 {
			within = min(within, promised)
		}
	}
	l.claim(Claim{
		Promise: PendingIsPlaced, Subject: i.Ref, Step: i.Meta().UID, Within: within,
		Message: fmt.Sprintf("it fits node %s now and was not placed within %s", d.Node, within),
		Cause:   sent(vacant, "the scheduler has not decided on what is so now"), Owner: owner, Repair: remedy(tenure.DutySchedule, vacant, i.Ref),
	})
}

// misfit fits nowhere; of a workload one is enough to say so.
func (l *looking) misfit(i *kinds.Instance, d *candor.Decision) {
	c := Claim{Promise: DesiredIsPossible, Subject: i.Ref, Step: i.Meta().UID, Within: Possibility, Message: "it fits no node"}
	if w := l.controller(i); w != nil {
		if l.impossible[w.Ref] {
			return
		}
		l.impossible[w.Ref] = true
		c.Subject, c.Step = w.Ref, fmt.Sprintf("%s/%d", w.Meta().UID, w.Meta().Generation)
		c.Message = "an instance of it fits no node"
	}
	c.Cause = misfits(d)
	c.Owner, c.Repair = owned(c.Subject), why(i.Ref)+" shows the smallest change that fits"
	l.claim(c)
}

func misfits(d *candor.Decision) string {
	if d.Considered == 0 {
		return "there is no node"
	}
	parts := make([]string, len(d.Reasons))
	for at, r := range d.Reasons {
		parts[at] = fmt.Sprintf("%d %s", r.Nodes, r.Reason)
	}
	return fmt.Sprintf("of %s: %s", counted(d.Considered, "node"), strings.Join(parts, ", "))
}

// controller is the workload that an instance is of; nil where it is of none that lives.
func (l *looking) controller(i *kinds.Instance) *kinds.Workload {
	owner := i.Controller()
	if owner == nil || owner.Kind != candor.KindWorkloads {
		return nil
	}
	item := l.View.Get(candor.Ref{Kind: candor.KindWorkloads, Namespace: i.Ref.Namespace, Name: owner.Name})
	if item == nil || item.Metadata.UID != owner.UID {
		return nil
	}
	w, err := kinds.ReadWorkload(item)
	if err != nil {
		return nil // it is counted as unreadable
	}
	return w
}

// labelsOf are those of a workload's instances: policies for workloads go by them.
func labelsOf(w *kinds.Workload) map[string]string {
	labels := maps.Clone(w.Spec.Template.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[candor.LabelWorkload] = w.Ref.Name
	return labels
}

// recovery is within which time a workload's policy promises that desired is real again;
// 0 where none does.
func (l *looking) recovery(w *kinds.Workload) time.Duration {
	p := policies.For(candor.KindWorkloads, labelsOf(w), l.policies)
	if p == nil {
		return 0
	}
	within := time.Duration(0)
	for i := range p.Spec.Modes {
		within = max(within, time.Duration(p.Spec.Modes[i].RecoverWithin))
	}
	return within
}
