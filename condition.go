package candor

import "time"

// ConditionStatus is True, False, or Unknown.
type ConditionStatus string

// The statuses.
const (
	ConditionTrue    ConditionStatus = "True"
	ConditionFalse   ConditionStatus = "False"
	ConditionUnknown ConditionStatus = "Unknown"
)

// Condition is one aspect of an object's reconciled state, as in Kubernetes. Type
// is an adjective or a past participle; Reason is one of the catalogue (see
// ConditionReasons), Message a sentence for people.
type Condition struct {
	Type               string          `json:"type"`
	Status             ConditionStatus `json:"status"`
	Reason             string          `json:"reason"`
	Message            string          `json:"message,omitempty"`
	ObservedGeneration uint64          `json:"observedGeneration,omitempty"`
	// LastTransitionTime is cluster time at the change of Status, for people.
	LastTransitionTime time.Time `json:"lastTransitionTime,omitzero"`
}

// Conditions are at most one of each type, in the order they were first set.
type Conditions []Condition

// Get finds a condition; nil when there is none.
func (c Conditions) Get(kind string) *Condition {
	for i := range c {
		if c[i].Type == kind {
			return &c[i]
		}
	}
	return nil
}

// True says whether the condition is there and True.
func (c Conditions) True(kind string) bool {
	found := c.Get(kind)
	return found != nil && found.Status == ConditionTrue
}

// With is c with the condition set. The transition time stays while the status
// does; c is not modified.
func (c Conditions) With(set Condition) Conditions {
	out := append(Conditions(nil), c...)
	if old := out.Get(set.Type); old != nil {
		if old.Status == set.Status {
			set.LastTransitionTime = old.LastTransitionTime
		}
		*old = set
		return out
	}
	return append(out, set)
}

// Without is c without the condition; c is not modified.
func (c Conditions) Without(kind string) Conditions {
	var out Conditions
	for _, have := range c {
		if have.Type != kind {
			out = append(out, have)
		}
	}
	return out
}
