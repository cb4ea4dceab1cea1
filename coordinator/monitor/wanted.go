package monitor

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/policies"
	"github.com/candor-plane/candor/coordinator/workloads"
	"github.com/candor-plane/candor/fsm/tenure"
)

// wanted compares workloads with their instances.
func (l *looking) wanted() {
	mine := map[string][]*kinds.Instance{}
	for _, i := range l.instances {
		if owner := i.Controller(); owner != nil && owner.Kind == candor.KindWorkloads {
			mine[owner.UID] = append(mine[owner.UID], i)
		}
	}
	for _, w := range l.workloads {
		if w.Terminating() {
			continue
		}
		l.ordinals(w, mine[w.Meta().UID])
		l.seen(w)
		if !w.Spec.Paused && !l.impossible[w.Ref] {
			l.real(w, mine[w.Meta().UID])
		}
	}
}

// seen: its status is of the newest spec.
func (l *looking) seen(w *kinds.Workload) {
	if w.Status.ObservedGeneration >= w.Meta().Generation {
		return
	}
	owner, vacant := l.duty(tenure.DutyControllers)
	l.claim(Claim{
		Promise: ChangeIsSeen, Subject: w.Ref, Step: fmt.Sprintf("%s/%d", w.Meta().UID, w.Meta().Generation), Within: Reaction,
		Message: fmt.Sprintf("its status is of generation %d, its spec of %d", w.Status.ObservedGeneration, w.Meta().Generation),
		Cause:   sent(vacant, "the workload controller has not written what it found"), Owner: owner, Repair: remedy(tenure.DutyControllers, vacant, w.Ref),
	})
}

// shape is what a workload's instances come to.
type shape struct {
	live, ready, old int
	// worst is one that is not as it should be: without a place before one that is not ready.
	worst *kinds.Instance
	// silent: one is on a node that nobody hears of.
	silent bool
}

func (l *looking) shapeOf(w *kinds.Workload, mine []*kinds.Instance) shape {
	digest := w.Status.Revision
	if w.Status.ObservedGeneration != w.Meta().Generation || digest == "" {
		digest = workloads.Digest(&w.Spec.Template)
	}
	var s shape
	for _, i := range mine {
		if node := l.nodes[i.Status.Node]; i.Holds() && (node == nil || !node.Status.Conditions.True(candor.ConditionReady)) {
			s.silent = true
		}
		if !i.Live() {
			continue
		}
		s.live++
		if i.Object.Metadata.Labels[candor.LabelRevision] != digest {
			s.old++
		}
		if i.Ready() {
			s.ready++
			continue
		}
		if s.worst == nil || s.worst.Placed() && !i.Placed() {
			s.worst = i
		}
	}
	return s
}

// real: it has its replicas, of its template, and they are ready.
func (l *looking) real(w *kinds.Workload, mine []*kinds.Instance) {
	s := l.shapeOf(w, mine)
	replicas := int(w.Spec.Replicas)
	if s.live == replicas && s.ready == replicas && s.old == 0 {
		return
	}
	c := Claim{Promise: DesiredIsReal, Subject: w.Ref, Step: fmt.Sprintf("%s/%d", w.Meta().UID, w.Meta().Generation)}
	promised := l.recovery(w)
	switch {
	case w.Status.RolledBack != "":
		c.Message = "its template did not become available in time, and the stable one is back"
	case w.Status.Progress != nil || w.Status.ObservedGeneration != w.Meta().Generation || promised == 0:
		c.Within = deadline(w)
		c.Message = fmt.Sprintf("it has come no further in %s and is not as wanted", c.Within)
		if w.Status.Progress != nil {
			c.From = w.Status.Progress.At
		}
	default:
		if s.silent {
			promised = max(promised, l.silence())
		}
		c.Within = promised
		c.Message = fmt.Sprintf("it was as wanted, and has not been again within %s", promised)
	}
	l.blame(&c, w, s)
	l.claim(c)
}

func deadline(w *kinds.Workload) time.Duration {
	if s := w.Spec.Update.DeadlineSeconds; s > 0 {
		return time.Duration(s) * time.Second
	}
	return DefaultDeadline
}

// silence is the longest time within which any node's policy promises recovery.
func (l *looking) silence() time.Duration {
	longest := time.Duration(0)
	for _, n := range l.nodes {
		mode, _ := policies.Silence(n.Object.Metadata.Labels, l.policies)
		longest = max(longest, time.Duration(mode.RecoverWithin))
	}
	return longest
}

// blame finds out what is in the way, and whose it is.
func (l *looking) blame(c *Claim, w *kinds.Workload, s shape) {
	owner, vacant := l.duty(tenure.DutyControllers)
	c.Owner, c.Repair = owner, remedy(tenure.DutyControllers, vacant, w.Ref)
	i := s.worst
	switch {
	case vacant != "":
		c.Cause = vacant
	case w.Status.RolledBack != "":
		c.Cause = "revision " + w.Status.RolledBack + " was given up"
		if p := w.Status.Conditions.Get(candor.ConditionProgressing); p != nil && p.Message != "" {
			c.Cause = p.Message
		}
		c.Owner, c.Repair = owned(w.Ref), why(w.Ref)+"; mend its template and apply it"
	case i == nil:
		c.Cause = "no instance of it is in the way: their number or their template is not as wanted"
	case !i.Placed():
		owner, vacant = l.duty(tenure.DutySchedule)
		c.Cause = sent(vacant, i.Ref.Name+" has no place"+told(i, candor.ConditionScheduled))
		c.Owner, c.Repair = owner, remedy(tenure.DutySchedule, vacant, i.Ref)
	case i.Observed == nil:
		c.Cause = fmt.Sprintf("%s was placed on %s, whose worker has said nothing of it", i.Ref.Name, i.Status.Node)
		c.Owner, c.Repair = "the worker of node "+i.Status.Node, why(candor.Ref{Kind: candor.KindNodes, Name: i.Status.Node})
	default:
		c.Cause = i.Ref.Name + " is not ready" + told(i, candor.ConditionReady)
		c.Owner, c.Repair = owned(w.Ref), why(i.Ref)
	}
}

// told is what a condition says.
func told(i *kinds.Instance, kind string) string {
	c := i.Status.Conditions.Get(kind)
	if c == nil || c.Message == "" {
		return ""
	}
	return ": " + c.Message
}

// ordinals: no two of its instances have one number.
func (l *looking) ordinals(w *kinds.Workload, mine []*kinds.Instance) {
	numbers := make(map[uint64]string, len(mine))
	for _, i := range mine {
		n, ok := ordinal(w.Ref.Name, i.Ref.Name)
		if !ok {
			continue // it was adopted
		}
		if other, twice := numbers[n]; twice {
			l.claim(Claim{
				Promise: DistinctOrdinals, Subject: w.Ref, Step: w.Meta().UID,
				Message: fmt.Sprintf("its instances %s and %s have one number", other, i.Ref.Name),
				Owner:   "duty " + tenure.DutyControllers, Repair: why(i.Ref),
			})
		}
		numbers[n] = i.Ref.Name
	}
}
