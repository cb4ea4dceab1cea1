package candor

import "time"

// Witness is what every answer carries about itself, a rejection included. A
// pointer or an enum that is not proven is absent: never a zero that looks
// like a fact.
type Witness struct {
	NodeID    string `json:"nodeID"`
	NodeName  string `json:"nodeName,omitempty"`
	BootID    string `json:"bootID"`
	ClusterID string `json:"clusterID,omitempty"`
	HistoryID string `json:"historyID,omitempty"`

	ServedToken  Token  `json:"servedRootToken"`
	CurrentToken *Token `json:"currentRootToken,omitempty"`
	// RootLag is a lower bound of the log entries that the view misses.
	RootLag *uint64 `json:"rootLag,omitempty"`
	// StalenessBound: everything acknowledged longer ago is in the answer.
	StalenessBound *time.Duration `json:"stalenessBound,omitempty"`

	Requested      Freshness    `json:"requestedFreshness,omitempty"`
	Served         Freshness    `json:"servedFreshness,omitempty"`
	Class          ServingClass `json:"servingClass,omitempty"`
	ServedByLeader bool         `json:"servedByLeader"`
	Mechanism      Mechanism    `json:"mechanism,omitempty"`

	CatchUp        CatchUpState  `json:"catchUpState,omitempty"`
	CatchUpAction  CatchUpAction `json:"catchUpAction,omitempty"`
	Mode           DegradedMode  `json:"degradedMode,omitempty"`
	DegradedReason string        `json:"degradedReason,omitempty"`
	SyncHealth     string        `json:"syncHealth,omitempty"`
	Leader         *LeaderHint   `json:"leaderHint,omitempty"`

	// ClusterTime is the served view's, in nanoseconds.
	ClusterTime   int64     `json:"clusterTime"`
	ViewUpdatedAt time.Time `json:"viewUpdatedAt,omitzero"`
	Era           uint64    `json:"era,omitempty"`
	// PolicyRevision is of the newest role, binding or token in the served view, by
	// which the request was judged; 0 while access control is off.
	PolicyRevision uint64 `json:"policyRevision,omitempty"`
}

// LeaderHint is where a node believes the leader to be: a hint, never proof.
type LeaderHint struct {
	ServerID string `json:"serverID"`
	Name     string `json:"name,omitempty"`
	// Address is the leader's API address; empty when not known.
	Address string `json:"address,omitempty"`
	Term    uint64 `json:"term,omitempty"`
}
