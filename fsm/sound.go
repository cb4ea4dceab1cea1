package fsm

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/literal"
	"github.com/candor-plane/candor/fsm/placement"
	"github.com/candor-plane/candor/fsm/tenure"
)

// sound refuses a write of whoever may write, to an object of a kind that turns read:
// one that they could not read, or that takes what is the placing turn's.
func (d *draft) sound(ref candor.Ref, before, after *candor.Object) *candor.Error {
	var err *candor.Error
	switch ref.Kind {
	case candor.KindInstances:
		return d.soundInstance(ref, before, after)
	case candor.KindNodes:
		err = placement.Observation(after.Observed)
	case candor.KindWorkloads:
		if template := literal.Member(after.Spec, "template"); template != nil {
			_, err = placement.Needs(template)
		}
	default:
	}
	if err != nil {
		return &candor.Error{Reason: err.Reason, Subject: ref.String(), Message: ref.String() + ": " + err.Message, Fields: err.Fields}
	}
	return nil
}

func (d *draft) soundInstance(ref candor.Ref, before, after *candor.Object) *candor.Error {
	if d.m.skip&rulePlace != 0 {
		return nil
	}
	refused := func(reason candor.Reason, message string) *candor.Error {
		return &candor.Error{Reason: reason, Subject: ref.String(), Message: ref.String() + ": " + message}
	}
	needs, err := placement.Needs(after.Spec)
	if err != nil {
		return refused(err.Reason, err.Message)
	}
	place, ok := placement.PlaceOf(after.Status)
	if !ok {
		return refused(candor.ReasonInvalid, "status: phase, node or nodeUID cannot be read")
	}
	if label := after.Metadata.Labels[candor.LabelNode]; label != place.Node && (before == nil || label != before.Metadata.Labels[candor.LabelNode]) {
		return refused(candor.ReasonSectionForbidden, "the label "+candor.LabelNode+" is set by the placing turn alone")
	}
	if before == nil {
		return nil
	}
	was, _ := placement.PlaceOf(before.Status)
	switch {
	case place.Node != was.Node || place.NodeUID != was.NodeUID:
		return refused(candor.ReasonSectionForbidden, "status.node and status.nodeUID are set once, by the placing turn alone")
	case was.Phase.Ended() && place.Phase != was.Phase:
		return refused(candor.ReasonInvalid, "it ended as "+string(was.Phase)+", and an end is final")
	case !place.Consistent():
		return refused(candor.ReasonInvalid, "an instance is Placed while it has a node and has not ended, and not otherwise; the status says "+string(place.Phase))
	}
	if was.Live() && !same(before.Spec, after.Spec) {
		if held, _ := placement.Needs(before.Spec); !slices.Equal(held, needs) {
			return refused(candor.ReasonInvalid, "spec.resources do not change while it is placed: make another instance")
		}
	}
	return nil
}

// verifiersOnly refuses to let anybody but the duty verify write findings.
func (d *draft) verifiersOnly(op *command.Operation, ref candor.Ref) *candor.Error {
	if ref.Kind != candor.KindFindings || op.Verb == command.VerbGet || d.cmd.Duty == tenure.DutyVerify {
		return nil
	}
	return &candor.Error{Reason: candor.ReasonForbidden, Subject: ref.String(), Message: sprintf("%s: the duty %s alone writes %s", ref, tenure.DutyVerify, ref.Kind)}
}
