package candor

type (
	// DisruptionBudgetSpec is the spec of an object of kind disruptionbudgets.candor: how
	// many of the instances in its namespace that Instances selects (a selector in the form
	// of `get -l`) may be taken away on purpose. One of the two is set.
	DisruptionBudgetSpec struct {
		Instances      string `json:"instances"`
		MinAvailable   *Share `json:"minAvailable,omitempty"`
		MaxUnavailable *Share `json:"maxUnavailable,omitempty"`
	}

	// DisruptionBudgetStatus is kept by the duty controllers. Whoever evicts takes one of
	// Allowed and adds the instance to Disrupted in the turn that evicts it, on the
	// condition that the budget is still as it was read.
	DisruptionBudgetStatus struct {
		ObservedGeneration uint64   `json:"observedGeneration,omitempty"`
		Expected           int32    `json:"expected"`
		Healthy            int32    `json:"healthy"`
		Wanted             int32    `json:"wanted"`
		Allowed            int32    `json:"allowed"`
		Disrupted          []string `json:"disrupted,omitempty"` // UIDs, until they are gone
	}

	// PriorityClassSpec is the spec of an object of kind priorityclasses.candor.
	PriorityClassSpec struct {
		Value int32 `json:"value"`
		// Default is of instances that name no class; at most one class should say so, and
		// of several the highest counts.
		Default bool `json:"default,omitempty"`
		// Preempts: instances of the class may have those of less priority evicted.
		Preempts    bool   `json:"preempts,omitempty"`
		Description string `json:"description,omitempty"`
	}
)
