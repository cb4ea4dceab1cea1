package candor

// Explanation is why something is as it is: what was decided, of what, and what
// would change it.
type Explanation struct {
	// Subject is the version that is explained.
	Subject VersionRef `json:"subject"`
	// Headline is one sentence: "instance/web-3 is Pending: 0 of 5 nodes fit".
	Headline string `json:"headline"`
	// Decision is the one that it rests on; nil where none was taken.
	Decision *Decision `json:"decision,omitempty"`
	// Nodes are the verdicts, nodes with equal ones together: those that fit first, by
	// score.
	Nodes []NodeVerdict `json:"nodes,omitempty"`
	// Changes are the smallest that would make it fit, each enough alone.
	Changes []FittingChange `json:"changes,omitempty"`
	// Because leads from the version to the intent that began it, nearest first.
	Because []Link `json:"because,omitempty"`
	// Facts are further sentences, in order.
	Facts []string `json:"facts,omitempty"`
	// Next is when it is looked at again: what it waits for.
	Next string `json:"next,omitempty"`
	// Replay says whether deciding again, on the state at the decision's token, gives the
	// same; nil when nobody tried.
	Replay *Replay `json:"replay,omitempty"`
}

// NodeVerdict is what one or more nodes were found to be.
type NodeVerdict struct {
	Nodes []string `json:"nodes"`
	Fits  bool     `json:"fits"`
	// Reasons are all that speak against it, the first one first.
	Reasons []Misfit `json:"reasons,omitempty"`
	Score   int64    `json:"score,omitempty"`
	// Scores are the parts that Score is the weighted sum of.
	Scores []ScorePart `json:"scores,omitempty"`
}

// Misfit is one reason why a node does not fit: what is needed and what there is.
type Misfit struct {
	Reason string `json:"reason"`
	Need   string `json:"need,omitempty"`
	Have   string `json:"have,omitempty"`
}

// ScorePart is one score, 0 to 100, and its weight.
type ScorePart struct {
	Name   string `json:"name"`
	Score  int64  `json:"score"`
	Weight int64  `json:"weight"`
}

// FittingChange is a change after which Node would fit.
type FittingChange struct {
	// Change is for people: "memory <= 3.5Gi", "node w4 recovers".
	Change string `json:"change"`
	Node   string `json:"node"`
	// Field and Value are the change of the instance's spec, where it is one.
	Field string `json:"field,omitempty"`
	Value string `json:"value,omitempty"`
}

// Link is one step from an effect to its cause.
type Link struct {
	Version VersionRef `json:"version"`
	Cause   *Cause     `json:"cause,omitempty"`
	// Text says it for people: "workload/web (replicas 2 -> 4)".
	Text string `json:"text"`
}

// Replay is what came of deciding again.
type Replay struct {
	Same bool `json:"same"`
	// Reason is REPLAY_UNAVAILABLE where the state is compacted or the algorithm another,
	// and DECISION_DIFFERS where the result was another.
	Reason  Reason `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}
