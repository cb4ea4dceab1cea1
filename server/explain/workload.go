package explain

import (
	"encoding/json"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/wire"
)

// instance explains an instance by what is stored with it.
func (s *story) instance(x *candor.Explanation, o *candor.Object) {
	var status candor.InstanceStatus
	var observed candor.InstanceObserved
	name := s.called(x.Subject.Ref)
	if err := unread(o.Status, &status); err != "" {
		x.Headline = name + " has a status that does not read: " + err
		return
	}
	seen := len(o.Observed) > 0 && unread(o.Observed, &observed) == ""
	x.Decision = status.Decision
	switch d := status.Decision; {
	case status.Phase.Ended():
		x.Headline = name + " has ended " + string(status.Phase)
		if status.Node != "" {
			x.Headline += " on " + status.Node
		}
		if seen && observed.ExitCode != nil {
			x.Headline += ": its process ended with code " + number(*observed.ExitCode)
		}
	case status.Node != "":
		x.Headline = name + " is " + string(status.Phase) + " on " + status.Node + chosen(d)
	case d == nil:
		x.Headline = name + " is Pending: nothing has been decided about it yet"
		x.Facts = append(x.Facts, s.acts(tenure.DutySchedule))
		x.Next = "when the holder of duty schedule decides"
	default:
		x.Headline = name + " is Pending: " + undecided(d, &status)
	}
	if status.Decision != nil {
		x.Facts = append(x.Facts, s.decidedBy(x.Subject, status.Decision.ID)...)
	}
	if seen {
		x.Facts = append(x.Facts, processText(&observed))
	}
	s.conditions(x, o)
}

// decidedBy is who wrote the version that first carried a decision.
func (s *story) decidedBy(of candor.VersionRef, id string) []string {
	var first *candor.Cause
	s.view.Chain(of.Ref, func(v *mvcc.Version) bool {
		if v.Revision > of.Revision {
			return true
		}
		d := decisionIn(v)
		if d == nil || d.ID != id {
			return false
		}
		if o, err := v.Object(); err == nil {
			first = o.Cause
		}
		return true
	})
	if first == nil {
		return nil
	}
	return []string{"decided " + s.by(first)}
}

// chosen says how sure a placement was.
func chosen(d *candor.Decision) string {
	if d == nil || len(d.Best) == 0 {
		return ""
	}
	misfits := 0
	for _, r := range d.Reasons {
		misfits += r.Nodes
	}
	text := ": the best of " + number(d.Considered-misfits) + " of " + counted(d.Considered, "node") + " that fit, score " + number(d.Best[0].Score)
	if len(d.Best) == 1 {
		return text
	}
	if d.Margin == 0 && d.TieBreak != "" {
		return text + ", as " + d.Best[1].Node + "; chosen by " + d.TieBreak
	}
	return text + ", " + number(d.Margin) + " more than " + d.Best[1].Node
}

func undecided(d *candor.Decision, status *candor.InstanceStatus) string {
	switch d.Verdict {
	case candor.VerdictNominated:
		node := status.Nominated
		if node == "" {
			node = d.Node
		}
		return node + " is being made free for it, of " + counted(len(d.Victims), "instance")
	case candor.VerdictRefused:
		return "its placement was refused when its turn came (" + d.Refusal + "); it is decided again"
	case candor.VerdictPlaced:
		return "it is to go to " + d.Node
	default:
		return "0 of " + counted(d.Considered, "node") + " fit"
	}
}

func processText(p *candor.InstanceObserved) string {
	text := "its worker says: the process is " + string(p.State)
	if p.Ready {
		text += " and ready"
	}
	if p.Restarts > 0 {
		text += ", restarted " + counted(int(p.Restarts), "time")
	}
	if p.ExitCode != nil {
		text += ", last exit code " + number(*p.ExitCode)
	}
	if p.Message != "" {
		text += ": " + p.Message
	}
	return text
}

// unread reads JSON, or says what is wrong with it; nothing reads as zeros.
func unread(raw json.RawMessage, into any) string {
	if len(raw) == 0 {
		return ""
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return err.Error()
	}
	return ""
}

// mostPending is how many instances an explanation of a workload names.
const mostPending = 5

// workload explains a workload, and which of its instances wait.
func (s *story) workload(x *candor.Explanation, o *candor.Object) {
	var spec candor.WorkloadSpec
	var status candor.WorkloadStatus
	name := s.called(x.Subject.Ref)
	if err := unread(o.Spec, &spec) + unread(o.Status, &status); err != "" {
		x.Headline = name + " does not read: " + err
		return
	}
	phase := status.Phase
	if phase == "" {
		phase = "new"
	}
	x.Headline = name + " is " + phase + ": " + number(status.Ready) + " of " + counted(int(spec.Replicas), "replica") + " ready, " +
		number(status.Placed) + " placed, " + number(status.Updated) + " of the present template"
	if status.ObservedGeneration < o.Metadata.Generation {
		x.Facts = append(x.Facts, "its status is of generation "+number(status.ObservedGeneration)+", its spec of "+number(o.Metadata.Generation)+"; "+s.acts(tenure.DutyControllers))
		x.Next = "when the holder of duty controllers looks at it"
	}
	s.conditions(x, o)
	s.pending(x)
}

// pending names the instances of a workload that have no place.
func (s *story) pending(x *candor.Explanation) {
	ref := x.Subject.Ref
	var waiting []string
	_ = s.view.List(candor.KindInstances, ref.Namespace, "", 0, func(v *mvcc.Version) bool {
		if wire.DecodeLabels(v.Data)[candor.LabelWorkload] != ref.Name {
			return true
		}
		o, err := v.Object()
		if err != nil || s.question.MayRead(candor.Ref{Kind: candor.KindInstances, Namespace: ref.Namespace, Name: o.Metadata.Name}) != nil {
			return true
		}
		var status candor.InstanceStatus
		if unread(o.Status, &status) == "" && status.Node == "" && !status.Phase.Ended() {
			why := "nothing has been decided about it yet"
			if status.Decision != nil {
				why = undecided(status.Decision, &status)
			}
			waiting = append(waiting, s.called(candor.Ref{Kind: candor.KindInstances, Namespace: ref.Namespace, Name: o.Metadata.Name})+" is Pending: "+why)
		}
		return true
	})
	if len(waiting) > mostPending {
		more := len(waiting) - mostPending
		waiting = append(waiting[:mostPending:mostPending], counted(more, "more instance")+" pending")
	}
	x.Facts = append(x.Facts, waiting...)
}

// node explains a worker's node.
func (s *story) node(x *candor.Explanation, o *candor.Object) {
	var spec candor.NodeSpec
	var status candor.NodeStatus
	var observed candor.NodeObserved
	name := s.called(x.Subject.Ref)
	if err := unread(o.Spec, &spec) + unread(o.Status, &status) + unread(o.Observed, &observed); err != "" {
		x.Headline = name + " does not read: " + err
		return
	}
	phase := status.Phase
	if phase == "" {
		phase = "not judged yet"
	}
	x.Headline = name + " is " + phase
	if ready := status.Conditions.Get(candor.ConditionReady); ready != nil && ready.Message != "" {
		x.Headline += ": " + ready.Message
	}
	s.conditions(x, o)
	switch {
	case spec.Drain:
		x.Facts = append(x.Facts, "it is being drained: nothing new comes, and what is there is evicted as budgets allow")
	case spec.Unschedulable:
		x.Facts = append(x.Facts, "it is cordoned: nothing new comes")
	}
	for _, t := range spec.Taints {
		x.Facts = append(x.Facts, "taint "+t.String())
	}
	if len(observed.Capacity) > 0 {
		held := status.Held.String()
		if held == "" {
			held = "nothing"
		}
		x.Facts = append(x.Facts, "held is "+held+" of "+observed.Capacity.String()+", by "+counted(status.Instances, "instance"))
	}
	if strings.EqualFold(status.Phase, "NotReady") {
		x.Next = "when its worker is heard of again, or its failure policy's time is over"
	}
}
