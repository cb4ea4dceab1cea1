package candor

import (
	"encoding/json"
	"iter"
	"time"
)

// Failure is a way in which something fails.
type Failure string

// The failures.
const (
	// FailureCrash: the process, or the machine, is gone.
	FailureCrash Failure = "Crash"
	// FailurePartition: it may live, and nobody hears of it.
	FailurePartition Failure = "Partition"
	// FailureSlow: it lives and does not do its work in time.
	FailureSlow Failure = "Slow"
)

// The signals of a failure mode: of a node its worker's heartbeat, of an instance the end
// of its process and its probe.
const (
	SignalHeartbeat = "Heartbeat"
	SignalExit      = "Exit"
	SignalProbe     = "Probe"
)

// The actions of a failure mode: Evict gives up what is on a node, to be made anew
// elsewhere; Cordon leaves it, and closes the node until an operator opens it; Restart and
// Replace are of processes. None leaves everything to operators.
const (
	ActionEvict   = "Evict"
	ActionCordon  = "Cordon"
	ActionRestart = "Restart"
	ActionReplace = "Replace"
	ActionNone    = "None"
)

// Duration is a time.Duration that JSON writes as "15s".
type Duration time.Duration

// MarshalJSON writes "1m30s".
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads it.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return Errorf(ReasonInvalid, "%s: want a duration, as \"15s\"", clip(string(data)))
	}
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return Errorf(ReasonInvalid, "%q: want a duration, as \"15s\"", clip(text))
	}
	*d = Duration(parsed)
	return nil
}

type (
	// FailurePolicySpec is the spec of an object of kind failurepolicies.candor: what counts
	// as which failure of the objects of one kind, and what is done. The policy named "default-KIND" of
	// its plural, as default-nodes, holds where no other selects the object.
	FailurePolicySpec struct {
		// Kind is the kind that the policy is for: nodes.candor or workloads.candor.
		Kind KindName `json:"kind"`
		// Objects is a selector on their labels; empty selects every one. Of several
		// policies that select one object the first by name counts. A worker goes by the
		// labels of its instances, which are those of the workload's template.
		Objects string        `json:"objects,omitempty"`
		Modes   []FailureMode `json:"modes"`
	}

	// FailureMode is one failure: how it is known, how soon, what may be done, and when
	// all is well again.
	FailureMode struct {
		Failure Failure `json:"failure"`
		// Signal is what tells: Heartbeat of a node, Exit or Probe of an instance.
		Signal string `json:"signal"`
		// DetectWithin: no sign of life for so long is the failure, and within so long the
		// failure is known; an Exit is known at once.
		DetectWithin Duration `json:"detectWithin"`
		// Action is what may be done, ActAfter the detection: of nodes Evict, Cordon or None, of
		// workloads Restart, Replace or None. Until then what runs stays as it is, and a node
		// that is not heard of takes nothing new, whatever the action.
		Action   string   `json:"action"`
		ActAfter Duration `json:"actAfter,omitempty"`
		// RecoverWithin is the promise: by then desired is real again, if anything fits.
		RecoverWithin Duration `json:"recoverWithin"`
	}
)

// Mode finds the policy's mode of a failure and a signal; nil when it declares none.
func (s *FailurePolicySpec) Mode(failure Failure, signal string) *FailureMode {
	for i := range s.Modes {
		if m := &s.Modes[i]; m.Failure == failure && m.Signal == signal {
			return m
		}
	}
	return nil
}

// Silence finds what the policy says of a node that nobody hears of; nil for nothing. A
// crash and a partition look the same from there, and are declared alike.
func (s *FailurePolicySpec) Silence() *FailureMode {
	return s.first(SignalHeartbeat, []Failure{FailurePartition, FailureCrash})
}

// FailurePolicies are policies by name, in any order.
type FailurePolicies = iter.Seq2[string, *FailurePolicySpec]

// DefaultFailurePolicy names the policy that holds where no other selects an object of
// the kind.
func DefaultFailurePolicy(kind KindName) string { return "default-" + kind.Plural() }

// FailurePolicyFor is the policy that an object of the kind with those labels is under:
// of those that select it the first by name, and the kind's default where none does; nil
// where there is none. A selector that does not parse selects nothing.
func FailurePolicyFor(kind KindName, labels map[string]string, all FailurePolicies) (name string, policy *FailurePolicySpec) {
	var fallback *FailurePolicySpec
	for n, p := range all {
		switch {
		case p.Kind != kind:
		case n == DefaultFailurePolicy(kind):
			fallback = p
		case (policy == nil || n < name) && p.selects(labels):
			name, policy = n, p
		}
	}
	if policy == nil && fallback != nil {
		return DefaultFailurePolicy(kind), fallback
	}
	return name, policy
}

func (s *FailurePolicySpec) selects(labels map[string]string) bool {
	selector, err := ParseSelector(s.Objects)
	return err == nil && selector.Matches(labels)
}

// FailureModeFor is what holds of a signal of an object, and the name of the policy that
// says so: the first of the failures that the object's policy declares for it, or else
// the kind's default policy; nil where neither declares one.
func FailureModeFor(kind KindName, labels map[string]string, all FailurePolicies, signal string, failures ...Failure) (mode *FailureMode, from string) {
	name, policy := FailurePolicyFor(kind, labels, all)
	if mode = policy.first(signal, failures); mode != nil {
		return mode, name
	}
	for n, p := range all {
		if n != DefaultFailurePolicy(kind) || p.Kind != kind {
			continue
		}
		if mode = p.first(signal, failures); mode != nil {
			return mode, n
		}
	}
	return nil, ""
}

// first may be asked of nil, which declares nothing.
func (s *FailurePolicySpec) first(signal string, failures []Failure) *FailureMode {
	if s == nil {
		return nil
	}
	for _, f := range failures {
		if mode := s.Mode(f, signal); mode != nil {
			return mode
		}
	}
	return nil
}
