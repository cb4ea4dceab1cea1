package candor

type (
	// NodeSpec is the spec of an object of kind nodes.candor, a machine that runs
	// instances (servers of the cluster are members): what operators want of it.
	NodeSpec struct {
		// Unschedulable nodes take nothing new (cordon).
		Unschedulable bool `json:"unschedulable,omitempty"`
		// Drain: what is there is evicted, as budgets allow. It implies Unschedulable.
		Drain  bool    `json:"drain,omitempty"`
		Taints []Taint `json:"taints,omitempty"`
	}

	// NodeObserved is what the worker says of its machine (status.observed).
	NodeObserved struct {
		Capacity Resources `json:"capacity"`
		// Session is drawn at each start of the worker: its heartbeats carry it, and
		// those of another session are refused.
		Session string `json:"session"`
		// BootID is the machine's, Version the worker's.
		BootID  string `json:"bootID,omitempty"`
		Version string `json:"version,omitempty"`
		OS      string `json:"os,omitempty"`
		Arch    string `json:"arch,omitempty"`
		Address string `json:"address,omitempty"`
		// Simulated nodes run nothing.
		Simulated bool `json:"simulated,omitempty"`
	}

	// NodeStatus is reconciled by the duty controllers (status, without observed).
	NodeStatus struct {
		ObservedGeneration uint64     `json:"observedGeneration,omitempty"`
		Conditions         Conditions `json:"conditions,omitempty"`
		// Phase repeats the condition Ready for columns: Ready, NotReady, Draining, Drained.
		Phase string `json:"phase,omitempty"`
		// Instances counts live placements, Held is what they hold.
		Instances int       `json:"instances,omitempty"`
		Held      Resources `json:"held,omitempty"`
	}
)

// Labels with a meaning.
const (
	// LabelZone and LabelHost are the usual topology keys, of nodes.
	LabelZone = "candor/zone"
	LabelHost = "candor/host"
	// LabelNode of an instance names the node that it is placed on; the placing turn
	// sets it. LabelWorkload names its workload, LabelRevision its template.
	LabelNode     = "candor/node"
	LabelWorkload = "candor/workload"
	LabelRevision = "candor/revision"
)

// AnnotationSilence of a node says in which silence its failure policy cordoned it: the
// cluster time of the heartbeat before, as RFC 3339. It is gone once the node is heard of
// and open again.
const AnnotationSilence = "candor/cordoned-in-silence-since"

// FinalizerStop keeps a placed instance, and what it holds of its node, until its
// process has ended, or may be taken for ended. The placing turn sets it.
const FinalizerStop = "candor/stop"
