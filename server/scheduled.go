package server

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/server/explain"
)

var _ explain.Scheduler = (*scheduled)(nil)

// scheduled explains by the scheduler, on any server's view.
type scheduled struct{ s *Server }

// Explain adds what the scheduler finds: of an instance that waits by the state now, of
// one that has its place by the state that it was decided on.
func (e *scheduled) Explain(_ context.Context, view *fsm.View, x *candor.Explanation) error {
	ref := x.Subject.Ref
	if ref.Kind == candor.KindWorkloads {
		waiting, err := firstWaiting(view, ref)
		if err != nil || waiting == (candor.Ref{}) {
			return err
		}
		x.Facts = append(x.Facts, "the nodes are judged for "+waiting.String())
		return e.now(view, waiting, x)
	}
	if x.Decision != nil {
		out, replay := again(view, ref, x.Decision, scheduler.Explain)
		x.Replay = &replay
		if out.Explanation != nil {
			x.Nodes = out.Explanation.Nodes
		}
	}
	newest, err := view.Get(ref, 0)
	if err != nil || newest == nil || newest.Revision != x.Subject.Revision || !waits(newest) {
		return err
	}
	return e.now(view, ref, x)
}

// now judges the nodes for an instance that waits, by the state as it is.
func (e *scheduled) now(view *fsm.View, ref candor.Ref, x *candor.Explanation) error {
	m, err := modelAt(view, view.Token())
	if err != nil {
		return err
	}
	out, err := scheduler.Decide(m, ref, scheduler.Explain)
	if err != nil {
		return err
	}
	x.Nodes, x.Changes = out.Explanation.Nodes, out.Explanation.Changes
	x.Next = out.Explanation.Next
	if out.Decision.Verdict == candor.VerdictPlaced {
		x.Next = "it fits on " + out.Decision.Node + " by the state now: it is placed when the duty schedule comes to it"
	}
	return nil
}

// WhyNot is the row of one node.
func (e *scheduled) WhyNot(_ context.Context, view *fsm.View, of candor.VersionRef, node string) (*candor.Explanation, error) {
	there, err := view.Get(candor.Ref{Kind: candor.KindNodes, Name: node}, 0)
	if err != nil {
		return nil, err
	}
	if there == nil {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: "nodes/" + node, Message: "there is no node " + node}
	}
	ref := of.Ref
	if ref.Kind == candor.KindWorkloads {
		if ref, err = firstWaiting(view, ref); err != nil {
			return nil, err
		}
		if ref == (candor.Ref{}) {
			return nil, candor.Errorf(candor.ReasonConflict, "no instance of %s waits for a place: ask about one of its instances", of.Ref)
		}
	}
	v, err := view.Get(ref, 0)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: ref.String() + " does not exist"}
	}
	x := &candor.Explanation{Subject: candor.VersionRef{Ref: ref, Revision: v.Revision}}
	if waits(v) {
		err = e.now(view, ref, x)
	} else {
		err = e.then(view, v, ref, x)
	}
	if err != nil {
		return nil, err
	}
	return x, narrow(x, ref, node)
}

// then judges the nodes as they were when the instance was placed.
func (e *scheduled) then(view *fsm.View, v *mvcc.Version, ref candor.Ref, x *candor.Explanation) error {
	if x.Decision, _ = explain.DecisionIn(v); x.Decision == nil {
		return candor.Errorf(candor.ReasonNotFound, "nothing was decided about %s", ref)
	}
	out, replay := again(view, ref, x.Decision, scheduler.Explain)
	x.Replay = &replay
	if out.Explanation == nil {
		return &candor.Error{Reason: replay.Reason, Subject: ref.String(), Message: replay.Message}
	}
	x.Nodes = out.Explanation.Nodes
	x.Facts = append(x.Facts, "judged by the state at "+x.Decision.Token.String()+", on which it was decided")
	return nil
}

// narrow leaves one node of the explanation, and says what came of it.
func narrow(x *candor.Explanation, ref candor.Ref, node string) error {
	at := slices.IndexFunc(x.Nodes, func(row candor.NodeVerdict) bool { return slices.Contains(row.Nodes, node) })
	if at < 0 {
		return candor.Errorf(candor.ReasonNotFound, "node %s was not there when %s was decided about", node, ref)
	}
	best := x.Nodes[0]
	row := x.Nodes[at]
	row.Nodes = []string{node}
	x.Nodes = []candor.NodeVerdict{row}
	x.Changes = slices.DeleteFunc(x.Changes, func(c candor.FittingChange) bool { return c.Node != node })
	switch {
	case x.Decision != nil && x.Decision.Node == node && x.Decision.Verdict == candor.VerdictPlaced:
		x.Headline = ref.String() + " is on " + node
	case !row.Fits:
		x.Headline = ref.String() + " does not fit on " + node + ": " + row.Reasons[0].Reason
	case x.Decision != nil && x.Decision.Verdict == candor.VerdictPlaced:
		x.Headline = ref.String() + " would fit on " + node + ", and " + x.Decision.Node + " was better"
		x.Nodes = append(x.Nodes, best)
	default:
		x.Headline = ref.String() + " fits on " + node
	}
	return nil
}

// Replay decides again.
func (e *scheduled) Replay(_ context.Context, view *fsm.View, d *candor.Decision, of candor.VersionRef) (candor.Replay, string, error) {
	out, replay := again(view, of.Ref, d, scheduler.Brief)
	return replay, out.Decision.Digest, nil
}

// waits says whether an instance is without a place, and neither ended nor ending.
func waits(v *mvcc.Version) bool {
	o, err := v.Object()
	var status candor.InstanceStatus
	if err != nil || o.Terminating() || len(o.Status) > 0 && json.Unmarshal(o.Status, &status) != nil {
		return false
	}
	return status.Node == "" && !status.Phase.Ended()
}

// firstWaiting is the first by name of a workload's instances that waits, if any.
func firstWaiting(view *fsm.View, workload candor.Ref) (candor.Ref, error) {
	var found candor.Ref
	err := view.List(candor.KindInstances, workload.Namespace, "", 0, func(v *mvcc.Version) bool {
		o, err := v.Object()
		if err == nil && o.Metadata.Labels[candor.LabelWorkload] == workload.Name && waits(v) {
			found = candor.Ref{Kind: candor.KindInstances, Namespace: workload.Namespace, Name: o.Metadata.Name}
		}
		return found == (candor.Ref{})
	})
	return found, err
}
