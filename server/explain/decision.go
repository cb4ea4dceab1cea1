package explain

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// mostTurns is how many turns after the state that a decision was taken on are looked
// through for it.
const mostTurns = 1 << 16

// Decision finds a decision by its ID, or the newest about an instance, and the version
// that it is stored with.
func (e *Explainer) Decision(view *fsm.View, id string, instance candor.Ref) (*candor.Decision, candor.VersionRef, error) {
	if id == "" {
		return newest(view, instance)
	}
	revision, err := decisionRevision(id)
	if err != nil {
		return nil, candor.VersionRef{}, err
	}
	if d, of := stored(view, id); d != nil {
		return d, of, nil
	}
	if d, of := turned(view, id, revision); d != nil {
		return d, of, nil
	}
	message := "there is no decision " + id
	if revision < view.Floor() {
		message += ", or what stored it is compacted (the floor is " + number(view.Floor()) + ")"
	}
	return nil, candor.VersionRef{}, &candor.Error{Reason: candor.ReasonNotFound, Subject: id, Revision: view.Token().Revision, Message: message}
}

// Replay decides again.
func (e *Explainer) Replay(ctx context.Context, view *fsm.View, d *candor.Decision, of candor.VersionRef) (candor.Replay, string, error) {
	return e.scheduler.Replay(ctx, view, d, of)
}

func newest(view *fsm.View, instance candor.Ref) (*candor.Decision, candor.VersionRef, error) {
	v, err := subject(view, candor.VersionRef{Ref: instance})
	if err != nil {
		return nil, candor.VersionRef{}, err
	}
	if d := decisionIn(v); d != nil {
		return d, candor.VersionRef{Ref: instance, Revision: v.Revision}, nil
	}
	return nil, candor.VersionRef{}, &candor.Error{Reason: candor.ReasonNotFound, Subject: instance.String(), Revision: view.Token().Revision,
		Message: "nothing has been decided about " + instance.String()}
}

// decisionRevision is the revision in "d-REVISION-PLACE".
func decisionRevision(id string) (uint64, error) {
	rest, ok := strings.CutPrefix(id, "d-")
	text, place, both := strings.Cut(rest, "-")
	revision, err := strconv.ParseUint(text, 10, 64)
	if _, bad := strconv.ParseUint(place, 10, 32); !ok || !both || err != nil || bad != nil {
		return 0, candor.Errorf(candor.ReasonInvalid, "decision %q: want d-REVISION-PLACE, for example d-8123-0", id)
	}
	return revision, nil
}

// stored looks through the instances as they are.
func stored(view *fsm.View, id string) (found *candor.Decision, of candor.VersionRef) {
	_ = view.List(candor.KindInstances, "", "", 0, func(v *mvcc.Version) bool {
		found, of = has(view, v, id)
		return found == nil
	})
	return found, of
}

// turned looks through the turns that followed the state of a decision.
func turned(view *fsm.View, id string, revision uint64) (*candor.Decision, candor.VersionRef) {
	last := min(view.Token().Revision, revision+mostTurns)
	for r := max(revision, view.Floor()) + 1; r <= last; r++ {
		for v := view.Turn(r); v != nil; v = v.Sibling() {
			if d, of := has(view, v, id); d != nil {
				return d, of
			}
		}
	}
	return nil, candor.VersionRef{}
}

func has(view *fsm.View, v *mvcc.Version, id string) (*candor.Decision, candor.VersionRef) {
	if !bytes.Contains(v.Data, []byte(`"`+id+`"`)) || view.KindName(v.Kind) != candor.KindInstances {
		return nil, candor.VersionRef{}
	}
	d := decisionIn(v)
	if d == nil || d.ID != id {
		return nil, candor.VersionRef{}
	}
	ref := candor.Ref{Kind: candor.KindInstances}
	ref.Namespace, ref.Name = candor.SplitKey(v.Key)
	return d, candor.VersionRef{Ref: ref, Revision: v.Revision}
}

// DecisionIn is the decision that a version of an instance carries, nil for none, and the
// cause of the version.
func DecisionIn(v *mvcc.Version) (*candor.Decision, *candor.Cause) {
	o, err := v.Object()
	var status candor.InstanceStatus
	if err != nil || unread(o.Status, &status) != "" {
		return nil, nil
	}
	return status.Decision, o.Cause
}

func decisionIn(v *mvcc.Version) *candor.Decision {
	d, _ := DecisionIn(v)
	return d
}
