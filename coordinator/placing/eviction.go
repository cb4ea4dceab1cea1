package placing

import (
	"encoding/json"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/informer"
)

// evictionOf is what makes the nominated node free: CONFLICT where the instance is not
// the version that was decided about.
func evictionOf(reader *informer.Reader, o *scheduler.Outcome) (Eviction, error) {
	status, err := nominatedStatus(reader, o)
	if err != nil {
		return Eviction{}, err
	}
	e := Eviction{
		Read: o.Decision.Token, Instance: candor.VersionRef{Ref: o.Ref, Revision: o.Revision}, UID: o.UID, Status: status,
		Message: fmt.Sprintf("evicted from %s for %s, which is of more priority", o.Decision.Node, o.Ref),
	}
	for _, v := range o.Victims {
		e.Victims = append(e.Victims, Victim{Instance: candor.VersionRef{Ref: v.Ref, Revision: v.Revision}, UID: v.UID})
	}
	for i := range o.Budgets {
		use := &o.Budgets[i]
		status, err := json.Marshal(&use.Status)
		if err != nil {
			return Eviction{}, candor.Errorf(candor.ReasonInternal, "%s: %w", use.Ref, err)
		}
		e.Budgets = append(e.Budgets, Budget{Budget: candor.VersionRef{Ref: use.Ref, Revision: use.Revision}, UID: use.UID, Status: status})
	}
	return e, nil
}

// nominatedStatus is the instance's status with the decision in it.
func nominatedStatus(reader *informer.Reader, o *scheduler.Outcome) (json.RawMessage, error) {
	item := reader.Get(o.Ref)
	if item == nil || item.Metadata.ResourceVersion != o.Revision {
		return nil, moved(o.Ref)
	}
	have, err := informer.Status[candor.InstanceStatus](item)
	if err != nil {
		return nil, err
	}
	next := *have
	next.ObservedGeneration = item.Metadata.Generation
	next.Phase = candor.InstancePending
	next.Nominated = o.Decision.Node
	next.Decision = &o.Decision
	_, message := Sentence(&o.Decision)
	next.Conditions = have.Conditions.With(candor.Condition{
		Type: candor.ConditionScheduled, Status: candor.ConditionFalse, Reason: candor.WhyNominated, Message: message, ObservedGeneration: next.ObservedGeneration,
	})
	return json.Marshal(&next)
}

func moved(ref candor.Ref) error {
	return &candor.Error{Reason: candor.ReasonConflict, Subject: ref.String(), Message: ref.String() + " is not the version that was decided about any more"}
}
