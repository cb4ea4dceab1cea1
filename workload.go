package candor

import (
	"encoding/json"
	"strconv"
	"strings"
)

type (
	// WorkloadSpec is the spec of an object of kind workloads.candor: so many
	// instances of one template.
	WorkloadSpec struct {
		Replicas int32            `json:"replicas"`
		Template InstanceTemplate `json:"template"`
		Update   UpdateStrategy   `json:"update,omitzero"`
		// Paused stops a rollout where it is.
		Paused bool `json:"paused,omitempty"`
	}

	// UpdateStrategy says how a change of the template goes out.
	UpdateStrategy struct {
		// MaxUnavailable and MaxSurge are counts or percentages of the replicas, as in
		// Kubernetes: the one rounded down, the other up. Defaults 25%, 25%.
		MaxUnavailable *Share `json:"maxUnavailable,omitempty"`
		MaxSurge       *Share `json:"maxSurge,omitempty"`
		// MinReadySeconds is how long an instance is ready before it counts as available.
		MinReadySeconds int32 `json:"minReadySeconds,omitempty"`
		// DeadlineSeconds without progress make the rollout Stalled; default 600.
		DeadlineSeconds int32 `json:"deadlineSeconds,omitempty"`
		// Rollback: a stalled rollout goes back to the last template that was whole.
		Rollback bool `json:"rollback,omitempty"`
	}

	// WorkloadStatus is reconciled by the duty controllers.
	WorkloadStatus struct {
		ObservedGeneration uint64 `json:"observedGeneration,omitempty"`
		// Phase is Progressing, Available, Degraded, Stalled, Paused or Deleting.
		Phase string `json:"phase,omitempty"`
		// Revision is the present template's digest; Stable the newest that was fully
		// available, and StableGeneration the generation that it was wanted by.
		Revision         string `json:"revision,omitempty"`
		Stable           string `json:"stable,omitempty"`
		StableGeneration uint64 `json:"stableGeneration,omitempty"`
		// Counts of instances that are not ending.
		Instances  int32      `json:"instances"`
		Placed     int32      `json:"placed"`
		Running    int32      `json:"running"`
		Ready      int32      `json:"ready"`
		Updated    int32      `json:"updated"`
		Available  int32      `json:"available"`
		Conditions Conditions `json:"conditions,omitempty"`
		// StableTemplate is the template of Stable, to go back to. RolledBack is the revision
		// that was given up for it.
		StableTemplate *InstanceTemplate `json:"stableTemplate,omitempty"`
		RolledBack     string            `json:"rolledBack,omitempty"`
		// Progress is how far the present rollout has come; nil when there is none.
		Progress *WorkloadProgress `json:"progress,omitempty"`
		// Steps counts the writes that made, adopted or ended instances: each is made on
		// the condition that none came between.
		Steps uint64 `json:"steps,omitempty"`
	}

	// WorkloadProgress is the best that a rollout has come to, and the cluster time then:
	// update.deadlineSeconds run from it.
	WorkloadProgress struct {
		Mark int32 `json:"mark"`
		At   int64 `json:"at,string"`
	}

	// InstanceTemplate is what an instance is.
	InstanceTemplate struct {
		Labels  map[string]string `json:"labels,omitempty"`
		Command []string          `json:"command"`
		Env     map[string]string `json:"env,omitempty"`
		Dir     string            `json:"dir,omitempty"`
		// Resources are held on the node for as long as the instance lives there.
		Resources     Resources         `json:"resources,omitempty"`
		NodeSelector  map[string]string `json:"nodeSelector,omitempty"`
		Affinity      []Affinity        `json:"affinity,omitempty"`
		Spread        []Spread          `json:"spread,omitempty"`
		Tolerations   []Toleration      `json:"tolerations,omitempty"`
		PriorityClass string            `json:"priorityClass,omitempty"`
		// Packing is Spread (the default) or BinPack.
		Packing Packing `json:"packing,omitempty"`
		// Restart is Always (the default), OnFailure or Never.
		Restart RestartPolicy `json:"restart,omitempty"`
		// GraceSeconds are between the request to stop and the kill; default 10.
		GraceSeconds *int32 `json:"graceSeconds,omitempty"`
		Health       *Probe `json:"health,omitempty"`
	}

	// Affinity is about the labels of nodes (Nodes), or of instances that are in the
	// same domain of Topology (Instances); one of the two. Both are selectors in the form
	// of `get -l`. Weight 0 requires it; 1 to 100 prefers it.
	Affinity struct {
		Nodes     string `json:"nodes,omitempty"`
		Instances string `json:"instances,omitempty"`
		// Anti: must not be, in place of must be.
		Anti     bool   `json:"anti,omitempty"`
		Topology string `json:"topology,omitempty"`
		Weight   int32  `json:"weight,omitempty"`
	}

	// Spread keeps the instances that Instances selects (default: those of the same
	// workload) even over the domains of Topology: the fullest has at most MaxSkew more
	// than the emptiest. Prefer makes it a wish.
	Spread struct {
		Topology  string `json:"topology"`
		MaxSkew   int32  `json:"maxSkew"`
		Instances string `json:"instances,omitempty"`
		Prefer    bool   `json:"prefer,omitempty"`
	}

	// Probe asks whether an instance works: a command that exits with 0, a TCP port of
	// the loopback that accepts, or an HTTP path there that answers 2xx or 3xx.
	Probe struct {
		Command          []string `json:"command,omitempty"`
		TCP              int32    `json:"tcp,omitempty"`
		HTTP             string   `json:"http,omitempty"` // "8080/healthz"
		PeriodSeconds    int32    `json:"periodSeconds,omitempty"`
		TimeoutSeconds   int32    `json:"timeoutSeconds,omitempty"`
		FailureThreshold int32    `json:"failureThreshold,omitempty"`
		DelaySeconds     int32    `json:"delaySeconds,omitempty"`
	}
)

// Packing is how a node is preferred among those that fit.
type Packing string

// The packings.
const (
	PackingSpread  Packing = "Spread"
	PackingBinPack Packing = "BinPack"
)

// RestartPolicy is when a worker starts an instance again whose process ended.
type RestartPolicy string

// The policies.
const (
	RestartAlways    RestartPolicy = "Always"
	RestartOnFailure RestartPolicy = "OnFailure"
	RestartNever     RestartPolicy = "Never"
)

// Share is a count, or a percentage of one.
type Share struct {
	Count   int32
	Percent bool
}

// Of is the share of n; a percentage is rounded up where up is set.
func (s Share) Of(n int32, up bool) int32 {
	if !s.Percent {
		return s.Count
	}
	product := int64(s.Count) * int64(n)
	if up {
		product += 99
	}
	return int32(product / 100)
}

// String is "3" or "25%".
func (s Share) String() string {
	text := strconv.Itoa(int(s.Count))
	if s.Percent {
		text += "%"
	}
	return text
}

// MarshalJSON writes a number, or a string that ends in %.
func (s Share) MarshalJSON() ([]byte, error) {
	if s.Percent {
		return json.Marshal(s.String())
	}
	return json.Marshal(s.Count)
}

// UnmarshalJSON reads both.
func (s *Share) UnmarshalJSON(data []byte) error {
	text, percent := strings.CutSuffix(strings.Trim(string(data), `"`), "%")
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 || percent && n > 100 {
		return Errorf(ReasonInvalid, "%s: want a count or a percentage, as 2 or \"25%%\"", clip(string(data)))
	}
	*s = Share{Count: int32(n), Percent: percent}
	return nil
}
